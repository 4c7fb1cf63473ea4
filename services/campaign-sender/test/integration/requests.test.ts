import { connectQueues, messageQueue } from '@switchyard/jobs';
import { createSqliteDatabase, eachDatabase, silentLogger, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t from 'tap';
import { startStage } from '../helper.ts';

void eachDatabase(
  t,
  'a repeated request gets its first answer word for word, whatever became of its messages, at the same time too',
  async (t, database) => {
    const stage = await startStage(t, database, { subscriptions: null });
    await stage.greet('15551230001');
    const send = (body: object, key: string) =>
      stage.call('POST', '/api/v1/messages', body, { 'idempotency-key': key });
    const body = {
      messages: [
        { to: '15551230001', content: 'one' },
        { to: '15551230001', content: 'two' },
      ],
    };
    const answers = await Promise.all([1, 2, 3].map(() => send(body, 'batch')));
    for (const answer of answers) t.same(answer.body, answers[0]!.body);
    t.equal(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined).length, 1);
    await until(async () => stage.simulator.accepted().length === 2, { what: 'both have gone' });
    const late = await send(body, 'batch');
    t.same(late.body, answers[0]!.body);
    t.equal(late.headers['idempotency-replayed'], 'true');
    const reordered = {
      messages: body.messages.map(({ to, content }) => ({ content, to })),
    };
    t.same((await send(reordered, 'batch')).body, answers[0]!.body, 'the order of keys does not count');
    t.match(await send({ to: '15551230001', content: 'one' }, 'batch'), {
      status: 409,
      body: { error: { code: 'IDEMPOTENCY_KEY_REUSED' } },
    });
    t.match(await send({ to: 'abc', content: 'one' }, 'bad'), { status: 422 });
    t.match(
      await send({ to: '15551230001', content: 'mended' }, 'bad'),
      { status: 202 },
      'a refusal is not kept',
    );
    await until(async () => stage.simulator.accepted().length === 3);
  },
);

void eachDatabase(
  t,
  'messages are listed latest first, page by page, and cancelled in numbers',
  async (t, database) => {
    const stage = await startStage(t, database, {
      subscriptions: null,
      env: { WHATSAPP_MESSAGES_PER_SECOND: '0.01' },
    });
    await stage.greet('15551230001');
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      const { body } = await stage.call(
        'POST',
        '/api/v1/messages',
        { to: '15551230001', content: `m${index}`, lane: index % 2 === 0 ? 'campaign' : 'flow' },
        { 'idempotency-key': `k${index}` },
      );
      ids.push(body.data.messages[0].id);
      // Ids of keyed messages are digests: only time orders them.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const next: string = cursor === undefined ? '' : `&cursor=${cursor}`;
      const { body } = await stage.call('GET', `/api/v1/messages?direction=out&limit=3${next}`);
      listed.push(...body.data.items.map(({ id }: { id: string }) => id));
      cursor = body.data.nextCursor ?? undefined;
    } while (cursor !== undefined);
    t.same(listed, ids.toReversed());
    t.equal((await stage.call('GET', '/api/v1/messages?lane=campaign')).body.data.items.length, 4);
    t.equal((await stage.call('GET', '/api/v1/messages?cursor=bm9uc2Vuc2U')).status, 400);
    for (const list of ['messages', 'templates', 'contacts', 'conversations', 'suppressions'])
      t.match(
        await stage.call('GET', `/api/v1/${list}?stat=failed`),
        { status: 400, body: { error: { message: 'querystring.stat is not known here' } } },
        'a misspelled filter is no filter',
      );
    t.match((await stage.call('GET', '/api/v1/conversations?handler=robot')).body.error, {
      message: 'querystring.handler must be one of person, automation',
    });
    t.match(
      (await stage.call('POST', '/api/v1/messages', { messages: [{ to: '+15550001111' }] })).body.error,
      {
        message: 'body.messages.0.content must be present',
      },
    );
    t.same((await stage.call('GET', '/api/v1/messages?direction=out&toMs=1')).body.data.items, []);
    t.match((await stage.call('GET', '/api/v1/messages/kinds')).body.data, {
      kinds: { text: {} },
      interactive: { button: {}, cta_url: {} },
    });

    const [inbound] = (await stage.call('GET', '/api/v1/messages?direction=in')).body.data.items;
    const { body } = await stage.call('POST', '/api/v1/messages/cancel', {
      ids: [...ids, inbound.id, 'msg_unknown'],
    });
    t.same(body.data.cancelled.toSorted(), ids.toSorted());
    t.same(body.data.notCancelled, [
      { id: inbound.id, state: 'received' },
      { id: 'msg_unknown', state: null },
    ]);
    const skipped = await stage.call('GET', '/api/v1/messages?state=skipped&failureCode=CANCELLED');
    t.equal(skipped.body.data.items.length, 7);
    t.equal(stage.simulator.accepted().length, 0);
  },
);

t.test('messageQueue.add({to, content}) sends: its job returns {sent: true, messageId}', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t), { subscriptions: null });
  await stage.greet('15551230001');
  const connection = new Redis(`${stage.redis.url}/1`);
  const queues = connectQueues({ connection, prefix: 'bull', logger: silentLogger() });
  t.teardown(async () => {
    await queues.close();
    connection.disconnect();
  });
  const job = await messageQueue.add({ to: '+15551230001', content: 'hello' }, { priority: 1 });
  const result = await job.waitUntilFinished();
  t.match(result, { sent: true, messageId: /^msg_/ });
  const accepted = await stage.simulator.waitForAccepted(({ messageId }) => messageId === result.messageId);
  t.equal(accepted.to, '15551230001');

  const refused = await messageQueue.add({ to: '+15551230001', content: { body: '' } });
  t.match(await refused.waitUntilFinished(), { sent: false }, 'what can not be sent is on record as failed');
  const { body } = await stage.call('GET', '/api/v1/messages?state=failed');
  t.match(body.data.items, [{ failureCode: 'CONTENT_INVALID', failureReason: /^content.body/ }]);
});

t.test('a message that came in can be marked read, with a typing indicator', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t), { subscriptions: null });
  await stage.greet('15551230001');
  const [inbound] = (await stage.call('GET', '/api/v1/messages?direction=in')).body.data.items;
  const read = (id: string) => stage.call('POST', `/api/v1/messages/${id}/read`, { typing: true });
  t.equal((await read(inbound.id)).status, 200);
  t.equal(stage.simulator.statistics().businessReads, 1);
  t.equal((await read('msg_unknown')).status, 404);
  stage.simulator.addFault({ kind: 'error', code: 131000, type: 'read', count: 1 });
  t.match(await read(inbound.id), {
    status: 502,
    body: { error: { code: 'PROVIDER_REFUSED', details: { code: 131000 } } },
  });
  const { body } = await stage.call('POST', '/api/v1/messages', { to: '15551230001', content: 'x' });
  t.equal((await read(body.data.messages[0].id)).status, 422);
});
