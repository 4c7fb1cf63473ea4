import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { startStage } from '../helper.ts';

void eachDatabase(
  t,
  'a message asked for over the API is sent once and its receipts move it up',
  async (t, database) => {
    // Long enough that a slow machine does not park it.
    const env = { SEND_HTTP_TIMEOUT_MS: '10000', SEND_UNKNOWN_GRACE_MS: '20000' };
    const stage = await startStage(t, database, { env });
    const contactId = await stage.greet('15551230001');
    const answer = await stage.call(
      'POST',
      '/api/v1/messages',
      { to: '+1 555 123 0001', content: 'hello' },
      { 'idempotency-key': 'one' },
    );
    t.equal(answer.status, 202, JSON.stringify(answer.body));
    const { id } = answer.body.data.messages[0];
    const found = await until(
      async () => {
        const { body } = await stage.call('GET', `/api/v1/messages/${id}`);
        return body.data.state === 'read' && body.data;
      },
      { what: 'the message is read' },
    );
    t.equal(found.contactId, contactId);
    t.strictSame(found.timeline.map((each: { state: string }) => each.state).toSorted(), [
      'accepted',
      'delivered',
      'queued',
      'read',
      'sending',
      'sent',
    ]);
    t.match(stage.simulator.accepted(), [{ messageId: id, attempt: 1, to: '15551230001' }]);

    const again = await stage.call(
      'POST',
      '/api/v1/messages',
      { to: '+1 555 123 0001', content: 'hello' },
      { 'idempotency-key': 'one' },
    );
    t.match(
      again,
      { status: 202, body: { data: { messages: [{ id, state: 'queued' }] } } },
      'the first answer',
    );
    const other = await stage.call(
      'POST',
      '/api/v1/messages',
      { to: '+1 555 123 0001', content: 'something else' },
      { 'idempotency-key': 'one' },
    );
    t.match(other, { status: 409, body: { error: { code: 'IDEMPOTENCY_KEY_REUSED' } } });
    t.equal(stage.simulator.accepted().length, 1);

    const conversation = await stage.call('GET', `/api/v1/contacts/${contactId}/messages`);
    t.strictSame(
      conversation.body.data.items.map((each: { direction: string }) => each.direction),
      ['out', 'in'],
    );
    await until(async () => (await eventTypes(stage)).includes('message.read'), {
      what: 'the merchant is told',
    });
    t.ok((await eventTypes(stage)).includes('message.received'));
  },
);

async function eventTypes(stage: Awaited<ReturnType<typeof startStage>>) {
  const jobs = await stage.queued('webhooks');
  return jobs.flatMap(({ payload }) => (payload.events as { type: string }[]).map(({ type }) => type));
}

void eachDatabase(
  t,
  'the same job twice is one message, and a flow hears how it ended',
  async (t, database) => {
    const stage = await startStage(t, database);
    await stage.greet('15551230002');
    const job = {
      queue: 'messages',
      name: 'send-message',
      payload: {
        merchantId: 'default',
        messageId: 'msg_from_flow',
        to: '+15551230002',
        content: 'hello',
        origin: { kind: 'flow', runId: 'run_1', stepId: 'step', notifyOutcome: true },
      },
    } as const;
    await stage.ingress.add({ ...job, options: { jobId: 'first', removeOnComplete: true } });
    await stage.ingress.add({ ...job, options: { jobId: 'second', removeOnComplete: true } });
    await until(
      async () => (await stage.queued('flows')).some(({ name }) => name === 'record-message-outcome'),
      {
        what: 'the flow is told',
      },
    );
    t.match(
      (await stage.queued('flows')).filter(({ name }) => name === 'record-message-outcome'),
      [{ payload: { runId: 'run_1', messageId: 'msg_from_flow', outcome: 'accepted' } }],
    );
    const { db } = stage.service.database;
    await until(
      async () =>
        (await db.selectFrom('messages').select('state').where('id', '=', 'msg_from_flow').executeTakeFirst())
          ?.state === 'read',
    );
    t.equal(stage.simulator.accepted().length, 1);
  },
);

void eachDatabase(
  t,
  'what must not be sent is not: expired, opted out, outside the window, to nowhere',
  async (t, database) => {
    const stage = await startStage(t, database);
    await stage.greet('15551230003');
    await stage.greet('15551230004');
    stage.simulator.inject({ from: '15551230004', text: 'STOP' });
    await until(async () => {
      const { body } = await stage.call('GET', '/api/v1/contacts?address=15551230004');
      return body.data.items[0]?.optedOut === true;
    });
    const send = (messageId: string, payload: object) =>
      stage.ingress.add({
        queue: 'messages',
        name: 'send-message',
        payload: { messageId, content: 'x', to: '15551230003', ...payload },
      });
    await send('m_expired', { expiresAtMs: 1 });
    await send('m_opted_out', { to: '15551230004' });
    await send('m_window', { to: '15551230099' });
    await send('m_nowhere', { to: 'abc' });
    const { db } = stage.service.database;
    const states = await until(async () => {
      const rows = await db
        .selectFrom('messages')
        .select(['id', 'state', 'failureCode'])
        .where('direction', '=', 'out')
        .where('state', '!=', 'queued')
        .orderBy('id')
        .execute();
      return rows.length === 4 && rows;
    });
    t.strictSame(
      states.map(({ id, state, failureCode }) => [id, state, failureCode]),
      [
        ['m_expired', 'expired', 'EXPIRED'],
        ['m_nowhere', 'failed', 'ADDRESS_INVALID'],
        ['m_opted_out', 'skipped', 'OPTED_OUT'],
        ['m_window', 'failed', '131047'],
      ],
    );
    t.equal(stage.simulator.accepted().length, 0);
    const invalid = await stage.call('POST', '/api/v1/messages', { to: 'nobody', content: 'x' });
    t.match(invalid, { status: 422, body: { error: { code: 'MESSAGE_INVALID' } } });
  },
);
