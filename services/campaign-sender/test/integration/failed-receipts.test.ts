import { createSqliteDatabase, eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { API_KEY, type Stage, startStage } from '../helper.ts';

const PHONE = '15551238001';
const NUMBER = '100000000000001';
const WABA = '200000000000001';
const PATIENCE_MS = 60_000;

// They mostly wait: for the pause before another try, for what a process remembers to be forgotten.
t.jobs = 6;

const orderUpdate = {
  name: 'order_update',
  language: { code: 'en_US' },
  components: [
    {
      type: 'body',
      parameters: [
        { type: 'text', text: 'Ana' },
        { type: 'text', text: '17' },
      ],
    },
    { type: 'button', sub_type: 'url', index: '0', parameters: [{ type: 'text', text: '17' }] },
  ],
};

const rowOf = (stage: Stage, id: string) =>
  stage.service.database.db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirst();

const callsOf = (stage: Stage, id: string) =>
  stage.service.database.db
    .selectFrom('message_attempts')
    .selectAll()
    .where('messageId', '=', id)
    .orderBy('attempt')
    .execute();

const send = (stage: Stage, messageId: string, more: object = {}) =>
  stage.ingress.add({
    queue: 'messages',
    name: 'send-message',
    payload: { messageId, to: PHONE, content: `text of ${messageId}`, ...more },
  });

const reached = (stage: Stage, id: string, state: string) =>
  until(async () => (await rowOf(stage, id))?.state === state, {
    what: `${id} is ${state}`,
    timeoutMs: PATIENCE_MS,
  });

const sentAgain = (stage: Stage, id: string, attempt = 2) =>
  stage.simulator.waitForAccepted(
    (message) => message.messageId === id && message.attempt === attempt,
    PATIENCE_MS,
  );

/** The receipts of a call once more, as the provider repeats webhooks. */
async function repeat(stage: Stage, id: string, attempt: number, code: number) {
  const before = (await callsOf(stage, id)).find((call) => call.attempt === attempt)!;
  const status = (word: string, more: object = {}) => ({
    ...{ id: before.providerMessageId, status: word, timestamp: '1795000000' },
    ...{ biz_opaque_callback_data: `${id}:${attempt}`, ...more },
  });
  await stage.ingress.add({
    queue: 'receipts',
    name: 'apply-statuses',
    payload: {
      ...{ merchantId: 'default', phoneNumberId: NUMBER, receivedAtMs: Date.now() },
      statuses: [status('failed', { errors: [{ code }] }), status('sent')],
    },
  });
}

void eachDatabase(
  t,
  'a message that fails by receipt goes out again, once, however often the receipt comes',
  async (t, database) => {
    const stage = await startStage(t, database);
    await stage.greet(PHONE);
    stage.simulator.addFault({ kind: 'fail', code: 131016, count: 1 });
    await send(stage, 'm_again');
    await until(async () => (await callsOf(stage, 'm_again'))[0]?.state === 'failed', {
      what: 'the first call fails',
      timeoutMs: PATIENCE_MS,
    });
    for (let time = 0; time < 3; time += 1) await repeat(stage, 'm_again', 1, 131016);
    await sentAgain(stage, 'm_again');
    await reached(stage, 'm_again', 'read');
    await repeat(stage, 'm_again', 1, 131016);
    await stage.simulator.waitForIdle();
    t.match(await callsOf(stage, 'm_again'), [
      { attempt: 1, state: 'failed', errorCode: '131016' },
      { attempt: 2, state: 'accepted', errorCode: null },
    ]);
    t.match(await rowOf(stage, 'm_again'), { state: 'read', attempts: 2, failures: 1, failureCode: null });
    t.equal(stage.simulator.accepted().filter(({ messageId }) => messageId === 'm_again').length, 2);
    const types = (await stage.queued('webhooks')).flatMap(({ payload }) =>
      (payload.events as { type: string; data: { messageId?: string } }[])
        .filter(({ data }) => data.messageId === 'm_again')
        .map(({ type }) => type),
    );
    t.notOk(types.includes('message.failed'), 'nobody is told of a failure that is none');
    const { timeline, providerMessageId } = (await stage.call('GET', '/api/v1/messages/m_again')).body.data;
    t.equal(
      providerMessageId,
      (await callsOf(stage, 'm_again'))[1]?.providerMessageId,
      "it is known by the provider's id of the call that counts",
    );
    t.ok(
      timeline.some(
        (each: { state: string; attempt: number; code: string | null }) =>
          each.state === 'failed' && each.attempt === 1 && each.code === '131016',
      ),
      'the timeline tells why it went twice',
    );
  },
);

void eachDatabase(
  t,
  'a window that only the receipt finds closed has the template go that the caller named',
  async (t, database) => {
    const stage = await startStage(t, database, { env: { WHATSAPP_BUSINESS_ACCOUNT_ID: WABA } });
    await stage.greet(PHONE);
    stage.simulator.addFault({ kind: 'fail', code: 131047, type: 'text' });
    await send(stage, 'm_falls', { templateFallback: orderUpdate });
    await send(stage, 'm_fails');
    t.match(await sentAgain(stage, 'm_falls'), { type: 'template' });
    await reached(stage, 'm_falls', 'read');
    t.match(await rowOf(stage, 'm_falls'), {
      type: 'template',
      templateFallback: null,
      replaced: JSON.stringify({ type: 'text', content: { body: 'text of m_falls' } }),
    });
    await reached(stage, 'm_fails', 'failed');
    t.match(await rowOf(stage, 'm_fails'), { attempts: 1, failureCode: '131047' });

    // The receipt may be faster than the answer, which must not take the message out of the queue again.
    stage.simulator.addFault({ kind: 'slow', delayMs: 450, count: 1, type: 'text' });
    await send(stage, 'm_raced', { templateFallback: orderUpdate });
    await sentAgain(stage, 'm_raced');
    await reached(stage, 'm_raced', 'read');
  },
);

t.test(
  'a file that a receipt calls unusable is uploaded again, and its message goes out again',
  async (t) => {
    const stage = await startStage(t, await createSqliteDatabase(t));
    await stage.greet(PHONE);
    const uploaded = await stage.service.app.inject({
      method: 'POST',
      url: '/api/v1/media?fileName=picture.png',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'image/png' },
      payload: Buffer.from('a picture'),
    });
    stage.simulator.addFault({ kind: 'fail', code: 131053, type: 'image', count: 1 });
    await send(stage, 'm_picture', { type: 'image', content: { media: uploaded.json().data.id } });
    await sentAgain(stage, 'm_picture');
    await reached(stage, 'm_picture', 'read');
    const used = stage.simulator
      .accepted()
      .map(({ payload }) => (payload as { image?: { id: string } }).image?.id);
    t.equal(stage.simulator.statistics().mediaUploads, 2);
    t.not(used[0], used[1]);
  },
);

t.test(
  'what a receipt says of number, template and person has the same effect as in an answer',
  async (t) => {
    const stage = await startStage(t, await createSqliteDatabase(t), {
      env: { WHATSAPP_BUSINESS_ACCOUNT_ID: WABA },
    });
    const { db } = stage.service.database;
    const contactId = await stage.greet(PHONE);
    const template = { type: 'template', content: orderUpdate };

    await t.test('a held template: its message waits and goes when it is released', async (t) => {
      await until(
        async () =>
          (await db.selectFrom('whatsapp_accounts').select('syncedAtMs').executeTakeFirst())?.syncedAtMs,
        { what: 'the account is read', timeoutMs: PATIENCE_MS },
      );
      stage.simulator.addFault({ kind: 'fail', code: 132015, count: 1 });
      await send(stage, 'm_held', template);
      await until(async () => (await callsOf(stage, 'm_held'))[0]?.state === 'failed', {
        what: 'it fails',
        timeoutMs: PATIENCE_MS,
      });
      t.match(await rowOf(stage, 'm_held'), { state: 'queued', attempts: 1, failures: 0 });
      const status = await db
        .selectFrom('templates')
        .select('status')
        .where('name', '=', 'order_update')
        .executeTakeFirst();
      t.match(status, { status: 'PAUSED' });
      await stage.ingress.add({
        queue: 'receipts',
        name: 'apply-account-update',
        payload: {
          ...{ merchantId: 'default', eventId: 'upd_released', wabaId: WABA },
          ...{ field: 'message_template_status_update', occurredAtMs: Date.now(), receivedAtMs: Date.now() },
          value: {
            event: 'APPROVED',
            message_template_name: 'order_update',
            message_template_language: 'en_US',
          },
        },
      });
      await sentAgain(stage, 'm_held');
    });

    await t.test('a locked account: numbers pause, and the message goes when they are resumed', async (t) => {
      stage.simulator.addFault({ kind: 'fail', code: 131031, count: 1 });
      await send(stage, 'm_locked');
      const paused = await until(
        async () => {
          const row = await db.selectFrom('senders').selectAll().executeTakeFirst();
          return row?.state === 'paused' && row;
        },
        { what: 'the number is paused', timeoutMs: PATIENCE_MS },
      );
      t.match(paused, { pauseCode: '131031' });
      t.match(await rowOf(stage, 'm_locked'), { state: 'queued', attempts: 1 });
      await stage.call('PATCH', `/api/v1/senders/${paused.id}`, { state: 'active' });
      await sentAgain(stage, 'm_locked');
      await reached(stage, 'm_locked', 'read');
    });

    await t.test('throughput: the number slows down and the message goes again, no try spent', async (t) => {
      stage.simulator.addFault({ kind: 'fail', code: 130429, count: 1 });
      await send(stage, 'm_fast');
      await sentAgain(stage, 'm_fast');
      await reached(stage, 'm_fast', 'read');
      t.match(await rowOf(stage, 'm_fast'), { attempts: 2, failures: 0 });
    });

    await t.test('a person who has stopped marketing: failed, and suppressed', async (t) => {
      stage.simulator.addFault({ kind: 'fail', code: 131050, count: 1 });
      await send(stage, 'm_stopped', template);
      await reached(stage, 'm_stopped', 'failed');
      t.match(await rowOf(stage, 'm_stopped'), { attempts: 1, failureCode: '131050' });
      t.match((await stage.call('GET', `/api/v1/contacts/${contactId}`)).body.data, {
        marketingOptedOut: true,
        optedOut: false,
      });
    });
  },
);
