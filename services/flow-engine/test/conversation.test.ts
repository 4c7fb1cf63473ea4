import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { message, phoneOf, sentTexts, settled, startEngine } from './helper.ts';

eachDatabase(
  t,
  'a new installation answers "hello" with a question, and the answer with a reply',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.tell(message('con_1', 1, ' HeLLo '));
    await settled(engine);
    await engine.tell(message('con_1', 2, 'where is my ORDER?'));
    await settled(engine);
    t.strictSame((await sentTexts(engine)).get(phoneOf('con_1')), [
      'Hello Ada! 👋 What can we help you with?',
      'Please send us your order number, and we will look it up.',
    ]);

    const [job] = await engine.runtime.producer.queue('messages').getJobs(['wait', 'prioritized'], 0, 0);
    const { runId } = (job!.data as { payload: { origin: { runId: string } } }).payload.origin;
    t.match(job!.data, {
      payload: {
        merchantId: 'default',
        contactId: 'con_1',
        senderId: 'snd_1',
        lane: 'flow',
        origin: { kind: 'flow' },
      },
    });
    t.equal((job!.data as { payload: { messageId: string } }).payload.messageId, job!.id);

    const { data } = await engine.call('GET', `/api/v1/runs/${runId}`);
    t.match(data, {
      run: { status: 'finished', flowId: 'flow_welcome', flowVersion: 1, inputs: 2 },
      journal: [
        {
          number: 1,
          input: { kind: 'start' },
          steps: [{ node: 'ask-need' }],
          effects: [{ id: `${runId}_1` }],
        },
        { number: 2, input: { kind: 'message' }, steps: [{}, { node: 'order' }, { node: 'done' }] },
      ],
    });
    const replay = await engine.call('POST', `/api/v1/runs/${runId}/replay`);
    t.strictSame(replay.data, { identical: true, inputs: 2 });

    const [ended] = await engine.runtime.producer.queue('webhooks').getJobs(['wait', 'prioritized'], 0, -1);
    t.match(ended!.data, { payload: { events: [{ type: 'flow.finished', data: { runId } }] } });

    const key = `wh:session:${phoneOf('con_1')}`;
    const session = await until(
      async () => {
        const text = await engine.runtime.redis.cache.get(key);
        const found = text === null ? undefined : JSON.parse(text);
        return found?.messages.length === 4 ? found : undefined;
      },
      { what: 'the session' },
    );
    t.match(session, {
      status: 'idle',
      messages: [
        { role: 'user', content: ' HeLLo ' },
        { role: 'assistant', content: /What can we help you with/ },
        { role: 'user', content: 'where is my ORDER?' },
        { role: 'assistant', content: /order number/ },
      ],
      updatedAt: Number,
    });
    const ttlMs = await engine.runtime.redis.cache.pttl(key);
    t.ok(ttlMs > 5.9 * 3_600_000 && ttlMs <= 6 * 3_600_000);
    t.strictSame(await engine.runtime.redis.cache.keys('wh:session:*'), [key]);

    await engine.runtime.redis.cache.del(key);
    await engine.tell(message('con_1', 3, 'thanks'));
    const rebuilt = await until(
      async () => {
        const text = await engine.runtime.redis.cache.get(key);
        return text === null ? undefined : JSON.parse(text);
      },
      { what: 'the session to be rebuilt' },
    );
    t.equal(rebuilt.messages.length, 5, 'a lost session is rebuilt from SQL at its next use');
    t.equal((await sentTexts(engine)).get(phoneOf('con_1'))?.length, 2, 'nothing answers what no flow takes');
  },
);
