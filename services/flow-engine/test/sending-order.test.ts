import { eachDatabase } from '@switchyard/test-kit';
import t from 'tap';
import { endSend, queueSends, type SendRequest } from '../src/conversations/send-order.ts';
import { type Engine, message, phoneOf, sentTexts, settled, startEngine } from './helper.ts';

const three = {
  name: 'Three in one go',
  triggers: [{ kind: 'keyword', words: ['three'] }],
  start: 'a',
  nodes: {
    a: { kind: 'send', text: 'one', next: 'b' },
    b: { kind: 'send', text: 'two', next: 'c' },
    c: { kind: 'ask', text: 'three?', saveAs: 'x', next: 'd' },
    d: { kind: 'send', text: 'four', next: 'end' },
    end: { kind: 'end' },
  },
};

async function tellOutcome(engine: Engine, messageId: string, outcome: 'accepted' | 'failed') {
  await engine.runtime.producer.add({
    queue: 'flows',
    name: 'record-message-outcome',
    payload: {
      merchantId: 'default',
      runId: messageId.slice(0, messageId.lastIndexOf('_')),
      stepId: messageId.slice(messageId.lastIndexOf('_') + 1),
      messageId,
      outcome,
      ...(outcome === 'failed' ? { reason: 'RECIPIENT_UNKNOWN' } : {}),
      decidedAtMs: Date.now(),
    },
  });
  await settled(engine);
}

async function lastMessageId(engine: Engine): Promise<string> {
  const jobs = await engine.runtime.producer.queue('messages').getJobs(['wait', 'prioritized'], 0, -1);
  return jobs
    .map(({ id }) => id!)
    .sort()
    .at(-1)!;
}

eachDatabase(
  t,
  'messages of one go are asked for one after the other, and one alone at once',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.publish(three);
    const texts = async () => (await sentTexts(engine)).get(phoneOf('con_1'));
    await engine.tell(message('con_1', 1, 'three'));
    await settled(engine);
    t.strictSame(await texts(), ['one']);
    await engine.tell(message('con_1', 2, 'too fast'));
    await settled(engine);
    t.strictSame(await texts(), ['one'], 'what a later input says lines up behind');
    await tellOutcome(engine, await lastMessageId(engine), 'accepted');
    t.strictSame(await texts(), ['one', 'two']);
    const second = await lastMessageId(engine);
    await tellOutcome(engine, second, 'failed');
    await tellOutcome(engine, second, 'failed');
    t.strictSame(await texts(), ['one', 'two', 'three?'], 'one that failed holds nobody up');
    await tellOutcome(engine, await lastMessageId(engine), 'accepted');
    t.strictSame(await texts(), ['one', 'two', 'three?', 'four']);
    const run = await engine.call('GET', `/api/v1/runs/${second.slice(0, second.lastIndexOf('_'))}`);
    const { messages } = run.data as { messages: { messageId: string }[] };
    t.match(
      messages.find(({ messageId }) => messageId === second),
      { outcome: 'failed', reason: 'RECIPIENT_UNKNOWN' },
      'the run knows what became of its message',
    );
    t.match((run.data as { run: unknown }).run, { status: 'finished' }, 'and went on');
  },
);

eachDatabase(
  t,
  'a message that nothing is heard of holds up the next ones for a limited time',
  async (t, database) => {
    const engine = await startEngine(t, database);
    await engine.publish(three);
    await engine.tell(message('con_1', 1, 'three'));
    await settled(engine);
    const { db } = engine.runtime.database;
    const row = await db.selectFrom('conversations').selectAll().executeTakeFirstOrThrow();
    t.ok(row.sendQueueDueAtMs! > Date.now() + 290_000 && row.sendQueueDueAtMs! <= Date.now() + 300_000);
    await db
      .updateTable('conversations')
      .set({ sendQueueDueAtMs: Date.now() - 1 })
      .execute();
    const { until } = await import('@switchyard/test-kit');
    await until(async () => (await sentTexts(engine)).get(phoneOf('con_1'))?.length === 2, {
      what: 'the second message to go out',
    });
  },
);

t.test('a queue of sends lets one go at a time', async (t) => {
  const request = (messageId: string): SendRequest => ({
    messageId,
    to: '+1555',
    content: 'x',
    origin: { kind: 'flow', runId: 'run_1', stepId: '1' },
  });
  t.match(queueSends(null, [request('a')]), { send: { messageId: 'a' }, queue: null });
  t.strictSame(queueSends(null, []), { send: undefined, queue: null });
  const two = queueSends(null, [request('a'), request('b')]);
  t.match(two, {
    send: { messageId: 'a', origin: { notifyOutcome: true } },
    queue: { inFlight: 'a', waiting: [{ messageId: 'b' }] },
  });
  t.equal(endSend(two.queue, 'b'), undefined);
  t.equal(endSend(null, 'a'), undefined);
  t.match(endSend(two.queue, 'a'), { send: { messageId: 'b' }, queue: null });
});
