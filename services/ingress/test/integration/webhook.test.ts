import { eachDatabase, signMeta, startRedis, until } from '@switchyard/test-kit';
import t from 'tap';
import {
  contact,
  message,
  messagesChange,
  NUMBER,
  status,
  textWebhook,
  webhook,
} from '../fixtures/payloads.ts';
import { environmentOf, jobsIn, SECRET, startIngress, VERIFY_TOKEN } from '../ingress.ts';

eachDatabase(t, 'the WhatsApp webhook', async (t, database) => {
  const redis = await startRedis(t);
  const ingress = await startIngress(t, environmentOf(redis, database));
  const { call, webhook: post } = ingress;

  await t.test(
    'the provider can subscribe with the verify token of an app, and only with that',
    async (t) => {
      const subscribe = (token: string) =>
        call(
          'GET',
          `/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=11%3Cb%3E&hub.verify_token=${token}`,
          { key: '' },
        );
      const good = await subscribe(VERIFY_TOKEN);
      t.equal(good.status, 200);
      t.equal(good.text, '11<b>', 'the raw challenge');
      t.match(good.headers['content-type'], /^text\/plain/);
      t.match(await subscribe('another-token'), {
        status: 403,
        body: { error: { code: 'VERIFY_TOKEN_INVALID' } },
      });
      t.equal((await call('GET', '/webhooks/whatsapp', { key: '' })).status, 400);
    },
  );

  await t.test('one inbound job per message, one receipts job per change, and 200', async (t) => {
    const payload = webhook(
      messagesChange({
        contacts: [contact],
        messages: [message('text', { id: 'w1' }), message('image', { id: 'w2' })],
      }),
      messagesChange({ statuses: [status('sent'), status('delivered')] }),
      { field: 'message_template_status_update', value: { event: 'APPROVED', message_template_id: 1 } },
      { field: 'user_preferences', value: { metadata: { phone_number_id: NUMBER }, user_preferences: [] } },
    );
    const answer = await post(payload);
    t.equal(answer.status, 200);
    t.equal(answer.text, '{"success":true}');
    const inbound = await jobsIn(ingress, 'inbound', 'receive-message');
    t.same(inbound.map((job) => job.message.id).sort(), ['w1', 'w2']);
    t.match(inbound[0], { merchantId: 'default', phoneNumberId: NUMBER });
    t.match(await jobsIn(ingress, 'receipts', 'apply-statuses'), [{ statuses: [{}, {}] }]);
    t.equal((await jobsIn(ingress, 'receipts', 'apply-account-update')).length, 1);
    t.equal((await jobsIn(ingress, 'receipts', 'apply-preferences')).length, 1);
  });

  await t.test('a number beyond 2^53 arrives digit for digit', async (t) => {
    const id = '18446744073709551615';
    const body = JSON.stringify(textWebhook('big')).replace(
      '"type":"text"',
      `"type":"text","group_id":${id}`,
    );
    t.equal((await post(body)).status, 200);
    const jobs = await jobsIn(ingress, 'inbound', 'receive-message');
    t.match(
      jobs.find((job) => job.message.id === 'big'),
      { message: { group_id: id } },
    );
  });

  await t.test('a missing, malformed or wrong signature is refused and nothing is queued', async (t) => {
    const before = (await jobsIn(ingress, 'inbound', 'receive-message')).length;
    const payload = textWebhook('forged');
    const body = JSON.stringify(payload);
    for (const signature of [
      '',
      'sha256=',
      `sha256=${'0'.repeat(64)}`,
      signMeta(body, 'other'),
      signMeta(`${body} `, SECRET),
    ])
      t.match(await post(payload, { signature }), {
        status: 401,
        body: { error: { code: 'SIGNATURE_INVALID' } },
      });
    t.equal((await jobsIn(ingress, 'inbound', 'receive-message')).length, before);
  });

  await t.test('a body of 3 MB and a thousand updates goes through', async (t) => {
    const before = (await jobsIn(ingress, 'inbound', 'receive-message')).length;
    const messages = Array.from({ length: 1000 }, (_, index) =>
      message('text', { id: `many-${index}`, text: { body: 'x'.repeat(2700) } }),
    );
    const body = JSON.stringify(webhook(messagesChange({ contacts: [contact], messages })));
    t.ok(body.length > 2_800_000 && body.length < 3_145_728, `${body.length} bytes`);
    // A machine that is too busy for the two seconds of an answer says 503, and the provider sends it again: so does this.
    await until(async () => (await post(body)).status === 200, { timeoutMs: 60_000, what: 'it is taken' });
    t.equal((await jobsIn(ingress, 'inbound', 'receive-message')).length, before + 1000);
    await ingress.runtime.producer.queue('inbound').obliterate({ force: true });
  });

  await t.test('a body beyond the limit is refused with 413, stated or not', async (t) => {
    const body = Buffer.alloc(3_400_000, 0x20);
    t.match(await post(body), { status: 413, body: { error: { code: 'BODY_TOO_LARGE' } } });
  });

  await t.test('a repeat, also within one payload, is queued once', async (t) => {
    const payload = webhook(
      messagesChange({ messages: [message('text', { id: 'r' }), message('text', { id: 'r' })] }),
    );
    for (let attempt = 0; attempt < 3; attempt++) t.equal((await post(payload)).status, 200);
    const jobs = await jobsIn(ingress, 'inbound', 'receive-message');
    t.equal(jobs.filter((job) => job.message.id === 'r').length, 1);
    const metrics = await (await call('GET', '/metrics')).text;
    t.match(metrics, /ingress_events_total\{[^}]*outcome="duplicate"[^}]*\} 5/);
    t.match(metrics, /ingress_events_total\{[^}]*outcome="rejected",reason="signature-wrong"/);
    t.match(metrics, /ingress_provider_lag_seconds_count/);
    t.match(metrics, /ingress_stage_seconds_bucket\{[^}]*stage="add"/);
  });

  await t.test('no log line holds a body, a secret or a whole phone number', async (t) => {
    const log = JSON.stringify(ingress.lines);
    for (const secret of [SECRET, VERIFY_TOKEN, 'Hello', '15551234567', 'token-of-the-first-number'])
      t.notOk(log.includes(secret), secret);
  });
});
