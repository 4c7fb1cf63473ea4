import { createSqliteDatabase, eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { type Stage, startStage } from '../helper.ts';

const PHONE = '15551231001';

async function send(stage: Stage, messageId: string, more: object = {}) {
  await stage.ingress.add({
    queue: 'messages',
    name: 'send-message',
    payload: { messageId, to: PHONE, content: `text of ${messageId}`, ...more },
  });
}

function stateOf(stage: Stage, id: string, states: readonly string[], what?: string) {
  return until(
    async () => {
      const row = await stage.service.database.db
        .selectFrom('messages')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      return row && states.includes(row.state) && row;
    },
    { what: what ?? `${id} is ${states.join(' or ')}`, timeoutMs: 15_000 },
  );
}

/** Sends messages until one of them has a receipt whose time is later than a parked message's. */
async function letReceiptsFlow(stage: Stage, until: () => Promise<boolean>) {
  for (let round = 0; !(await until()); round += 1) {
    await send(stage, `m_flow_${round}`);
    await stateOf(stage, `m_flow_${round}`, ['read']);
  }
}

const attemptsOf = (stage: Stage, id: string) =>
  stage.service.database.db
    .selectFrom('message_attempts')
    .select(['attempt', 'state'])
    .where('messageId', '=', id)
    .orderBy('attempt')
    .execute();

void eachDatabase(
  t,
  'a connection cut after acceptance parks the message and its receipt settles it',
  async (t, database) => {
    const stage = await startStage(t, database);
    await stage.greet(PHONE);
    stage.ingress.hold();
    stage.simulator.addFault({ kind: 'cut-after', count: 1 });
    await send(stage, 'm_cut');
    await stateOf(stage, 'm_cut', ['parked']);
    t.strictSame(await attemptsOf(stage, 'm_cut'), [{ attempt: 1, state: 'parked' }]);
    await stage.ingress.release();
    await stateOf(stage, 'm_cut', ['read']);
    t.strictSame(await attemptsOf(stage, 'm_cut'), [{ attempt: 1, state: 'accepted' }]);
    t.equal(stage.simulator.accepted().length, 1);
    t.strictSame(stage.simulator.repeats(), []);
  },
);

void eachDatabase(
  t,
  'a message the provider never took is sent again after the grace, once receipts flow',
  async (t, database) => {
    const stage = await startStage(t, database);
    await stage.greet(PHONE);
    stage.simulator.addFault({ kind: 'cut-before', count: 1 });
    await send(stage, 'm_lost');
    await stateOf(stage, 'm_lost', ['parked']);
    await letReceiptsFlow(stage, async () => (await attemptsOf(stage, 'm_lost')).length > 1);
    await stateOf(stage, 'm_lost', ['read']);
    t.strictSame(await attemptsOf(stage, 'm_lost'), [
      { attempt: 1, state: 'unknown' },
      { attempt: 2, state: 'accepted' },
    ]);
    t.strictSame(stage.simulator.repeats(), []);
  },
);

t.test('while receipts do not flow, a parked message stays parked beyond the grace', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  await stage.greet(PHONE);
  await send(stage, 'm_before');
  await stateOf(stage, 'm_before', ['read']);
  stage.ingress.hold();
  stage.simulator.addFault({ kind: 'cut-after', count: 1 });
  await send(stage, 'm_parked');
  const parked = await stateOf(stage, 'm_parked', ['parked']);
  // Looked at again at its deadline, and put off: its next time has moved.
  await until(
    async () => (await stateOf(stage, 'm_parked', ['parked'])).nextAttemptAtMs! > parked.nextAttemptAtMs!,
    { what: 'the deadline has passed' },
  );
  await send(stage, 'm_other');
  await stateOf(stage, 'm_other', ['accepted']);
  t.equal((await attemptsOf(stage, 'm_parked')).length, 1);
  await stage.ingress.release();
  await stateOf(stage, 'm_parked', ['read']);
  t.strictSame(stage.simulator.repeats(), []);
});

t.test('with onUnknown "fail" the message fails as unknown instead of being sent again', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  await stage.greet(PHONE);
  stage.simulator.addFault({ kind: 'hang', count: 1 });
  await send(stage, 'm_fail', { onUnknown: 'fail' });
  await stateOf(stage, 'm_fail', ['parked']);
  await letReceiptsFlow(
    stage,
    async () => (await stateOf(stage, 'm_fail', ['parked', 'failed'])).state === 'failed',
  );
  t.match(await stateOf(stage, 'm_fail', ['failed']), { failureCode: 'UNKNOWN', attempts: 1 });
  t.strictSame(await attemptsOf(stage, 'm_fail'), [{ attempt: 1, state: 'unknown' }]);
});

t.test('trouble of the provider costs a try and a pause, and the message goes when it is over', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  await stage.greet(PHONE);
  const down = stage.simulator.addFault({ kind: 'error', code: 131016, httpStatus: 503 });
  await send(stage, 'm_down');
  await until(async () => (await attemptsOf(stage, 'm_down')).length === 1);
  const row = await stateOf(stage, 'm_down', ['queued']);
  t.equal(row.failures, 1);
  t.ok(row.nextAttemptAtMs! > row.updatedAtMs, 'it pauses before the next try');
  stage.simulator.removeFaults(down.id);
  await stage.service.database.db
    .updateTable('messages')
    .set({ nextAttemptAtMs: 0 })
    .where('id', '=', 'm_down')
    .execute();
  await stateOf(stage, 'm_down', ['read']);
  t.strictSame(
    (await attemptsOf(stage, 'm_down')).map(({ state }) => state),
    ['rejected', 'accepted'],
  );
});

t.test('a provider that can not be reached costs no try', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t), {
    env: { WHATSAPP_API_URL: 'http://127.0.0.1:9' },
  });
  await stage.greet(PHONE);
  await send(stage, 'm_refused');
  await until(async () => (await attemptsOf(stage, 'm_refused'))[0]?.state === 'not-sent');
  const row = await stateOf(stage, 'm_refused', ['queued']);
  t.match(row, { failures: 0, attempts: 1 });
  const cancelled = await stage.call('POST', '/api/v1/messages/m_refused/cancel');
  t.match(cancelled, { status: 200, body: { data: { state: 'skipped', failureCode: 'CANCELLED' } } });
  t.match(await stage.call('POST', '/api/v1/messages/m_refused/cancel'), { status: 409 });
});

t.test('an emptied Redis loses no message', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  await stage.greet(PHONE);
  const { body } = await stage.call('GET', '/api/v1/senders');
  const sender = body.data.items[0];
  await stage.call('PATCH', `/api/v1/senders/${sender.id}`, { state: 'paused' });
  await send(stage, 'm_waiting');
  await stateOf(stage, 'm_waiting', ['queued']);
  const { Redis } = await import('ioredis');
  const client = new Redis(`${stage.redis.url}/1`);
  await client.flushall();
  client.disconnect();
  await stage.call('PATCH', `/api/v1/senders/${sender.id}`, { state: 'active' });
  await stateOf(stage, 'm_waiting', ['read']);
  t.equal(stage.simulator.accepted().length, 1);
});

t.test('an error that concerns the number stops it, tells the operators and loses nothing', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  await stage.greet(PHONE);
  const fault = stage.simulator.addFault({ kind: 'error', code: 131031 });
  await send(stage, 'm_locked');
  await until(async () => (await stage.queued('notifications')).length > 0, {
    what: 'the operators are told',
  });
  const { body } = await stage.call('GET', '/api/v1/senders');
  const sender = body.data.items[0];
  t.match(sender, { state: 'paused', pauseCode: '131031' });
  await stateOf(stage, 'm_locked', ['queued']);
  stage.simulator.removeFaults(fault.id);
  await stage.call('PATCH', `/api/v1/senders/${sender.id}`, { state: 'active' });
  await stateOf(stage, 'm_locked', ['read']);
});

t.test(
  'a person who has stopped marketing at the provider gets none from then on, but other messages',
  async (t) => {
    const stage = await startStage(t, await createSqliteDatabase(t));
    const contactId = await stage.greet(PHONE);
    stage.simulator.addFault({ kind: 'fail', code: 131050, count: 1 });
    await send(stage, 'm_stopped');
    t.match(await stateOf(stage, 'm_stopped', ['failed']), { failureCode: '131050' });
    const { body } = await stage.call('GET', `/api/v1/contacts/${contactId}`);
    t.match(body.data, { optedOut: false, marketingOptedOut: true });
    const suppressions = await stage.call('GET', '/api/v1/suppressions');
    t.match(suppressions.body.data.items, [{ value: `+${PHONE}`, scope: 'marketing' }]);
    await send(stage, 'm_campaign', { lane: 'campaign' });
    t.match(await stateOf(stage, 'm_campaign', ['skipped']), { failureCode: 'MARKETING_OPTED_OUT' });
    await send(stage, 'm_order', { lane: 'transactional' });
    await stateOf(stage, 'm_order', ['read']);
    await stage.call('DELETE', `/api/v1/suppressions/${PHONE}`);
    t.equal((await stage.call('GET', `/api/v1/contacts/${contactId}`)).body.data.marketingOptedOut, false);
  },
);
