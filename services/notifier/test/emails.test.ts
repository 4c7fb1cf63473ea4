import { once } from 'node:events';
import { createProducer } from '@switchyard/jobs';
import { startSimulator } from '@switchyard/simulator';
import {
  createSqliteDatabase,
  eachDatabase,
  silentLogger,
  spawnNode,
  startRedis,
  until,
} from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { loadNotifierConfig } from '../src/config.ts';
import { isMailbox } from '../src/email/check-address.ts';
import { environment, startNotifier } from './helper.ts';

async function startMailbox(t: Test) {
  const simulator = await startSimulator();
  t.teardown(() => simulator.close());
  return simulator.mailbox;
}

const from = { EMAIL_FROM: 'Switchyard <no-reply@shop.example>' };
const email = (emailId: string, fields: Record<string, unknown> = {}) => ({
  queue: 'emails' as const,
  name: 'send-email' as const,
  payload: {
    merchantId: 'default',
    emailId,
    to: ['ada@example.com'],
    subject: 'Grüße 👋',
    text: 'Your parcel is on its way.',
    ...fields,
  },
});

type Call = Awaited<ReturnType<typeof startNotifier>>['call'];
interface Shown {
  id: string;
  state: string;
  attempts: number;
  lastError: string | null;
}

/** The email, once it has that state. */
async function settled(call: Call, id: string, state: string): Promise<Shown> {
  return until(
    async () => {
      const { data } = await call('GET', `/api/v1/emails/${id}`);
      const shown = (data as { email: Shown } | undefined)?.email;
      return shown?.state === state ? shown : undefined;
    },
    { what: `${id} to be ${state}`, timeoutMs: 30_000 },
  );
}

eachDatabase(
  t,
  'an email arrives once, however often it is asked for, text and HTML alike',
  async (t, database) => {
    const mailbox = await startMailbox(t);
    const { runtime, call } = await startNotifier(t, database, { SMTP_URL: mailbox.url, ...from });
    await runtime.producer.add(email('ema_1', { html: '<b>On its way</b>', replyTo: 'help@shop.example' }));
    await settled(call, 'ema_1', 'sent');
    await runtime.producer.add({ ...email('ema_1'), options: { jobId: 'again' } });
    await until(
      async () => (await runtime.producer.queue('emails').getJobCounts('completed')).completed === 2,
      {
        what: 'the second request to be done',
      },
    );
    t.equal(mailbox.total, 1);
    const [mail] = mailbox.list();
    t.match(mail, {
      from: 'no-reply@shop.example',
      to: ['ada@example.com'],
      subject: 'Grüße 👋',
      text: 'Your parcel is on its way.',
      html: '<b>On its way</b>',
      messageId: '<ema_1@shop.example>',
    });
    t.equal(mail?.headers['reply-to'], 'help@shop.example');
  },
);

eachDatabase(
  t,
  'what the server puts off is tried again, under one Message-ID, five times in all',
  async (t, database) => {
    const mailbox = await startMailbox(t);
    const { runtime, call } = await startNotifier(t, database, { SMTP_URL: mailbox.url, ...from });
    mailbox.faults.add({ kind: 'cut-after', count: 1, match: 'ada@' });
    mailbox.faults.add({ kind: 'defer', match: 'bob@' });
    await runtime.producer.add(email('ema_cut'));
    await runtime.producer.add(email('ema_put_off', { to: ['bob@example.com'] }));
    await settled(call, 'ema_cut', 'sent');
    t.strictSame(
      mailbox.list().map(({ messageId }) => messageId),
      ['<ema_cut@shop.example>', '<ema_cut@shop.example>'],
      'taken, and the answer lost: at least once, and to be known by its id',
    );
    const failed = await settled(call, 'ema_put_off', 'failed');
    t.match(failed, { attempts: 5, lastError: /451/ });
    const { data } = await call('GET', '/api/v1/failed-jobs?queue=emails');
    t.match((data as { failedJobs: unknown[] }).failedJobs, [{ code: 'EMAIL_DEFERRED', attemptsMade: 5 }]);

    mailbox.faults.remove();
    t.equal((await call('POST', '/api/v1/emails/ema_put_off/retry')).status, 202);
    await settled(call, 'ema_put_off', 'sent');
    t.equal(mailbox.list({ to: 'bob@example.com' }).length, 1);
    t.equal((await call('POST', '/api/v1/emails/ema_put_off/retry')).error.code, 'EMAIL_NOT_FAILED');
  },
);

eachDatabase(t, 'what the server refuses for good is not tried again, and is listed', async (t, database) => {
  const mailbox = await startMailbox(t);
  const { runtime, call } = await startNotifier(t, database, { SMTP_URL: mailbox.url, ...from });
  mailbox.faults.add({ kind: 'refuse' });
  await runtime.producer.add(email('ema_refused'));
  t.match(await settled(call, 'ema_refused', 'failed'), { attempts: 1, lastError: /550/ });
  const jobs = (await call('GET', '/api/v1/failed-jobs?queue=emails')).data as {
    failedJobs: { id: string; code: string }[];
  };
  t.match(jobs.failedJobs, [{ code: 'EMAIL_REFUSED' }]);
  const list = (await call('GET', '/api/v1/emails?state=failed')).data as { emails: { id: string }[] };
  t.match(list.emails, [{ id: 'ema_refused' }]);

  mailbox.faults.remove();
  t.equal((await call('POST', `/api/v1/failed-jobs/${jobs.failedJobs[0]!.id}/retry`)).status, 202);
  await settled(call, 'ema_refused', 'sent');
  t.equal(mailbox.total, 1, 'the failed job can be retried too');
});

t.test('nothing gets a header or an addressee of its own into an email', async (t) => {
  const mailbox = await startMailbox(t);
  const { runtime, call } = await startNotifier(t, await createSqliteDatabase(t), {
    SMTP_URL: mailbox.url,
    ...from,
  });
  const hostile: Record<string, Record<string, unknown>> = {
    line_break: { to: ['ada@example.com\r\nBcc: eve@example.com'] },
    two: { to: ['ada@example.com, eve@example.com'] },
    name: { to: ['Ada <ada@example.com>'] },
    group: { to: ['everybody:ada@example.com;'] },
    quoted: { to: ['"a\\"b"@example.com'] },
    none: { to: ['ada'] },
    subject: { subject: 'Hello\r\nBcc: eve@example.com' },
    reply: { replyTo: 'a@b.example\nX: y' },
  };
  for (const [id, fields] of Object.entries(hostile)) await runtime.producer.add(email(`ema_${id}`, fields));
  for (const id of Object.keys(hostile)) await settled(call, `ema_${id}`, 'failed');
  const { data } = await call('GET', '/api/v1/failed-jobs?queue=emails');
  for (const { code } of (data as { failedJobs: { code: string }[] }).failedJobs)
    t.equal(code, 'EMAIL_INVALID');
  // What the body says stays in the body.
  await runtime.producer.add(
    email('ema_body', { text: '\r\n.\r\nMAIL FROM:<eve@example.com>\r\n', html: undefined }),
  );
  await settled(call, 'ema_body', 'sent');
  t.equal(mailbox.total, 1);
  t.match(mailbox.list()[0]?.text, /MAIL FROM/);
});

t.test('addresses are told from what is none', async (t) => {
  for (const each of [
    'a@b',
    'ada.lovelace+x@mail.example.com',
    'jürgen@müller.example',
    "o'hara@example.com",
  ])
    t.ok(isMailbox(each), each);
  for (const each of [
    '',
    '@',
    'a@',
    '@b',
    'a b@c',
    'a@b c',
    'a@b@c',
    'a@b\n',
    'a@-b',
    'a..b@c',
    `${'a'.repeat(65)}@b`,
  ])
    t.notOk(isMailbox(each), JSON.stringify(each));
});

eachDatabase(
  t,
  'a process that is killed while it hands an email over loses nothing',
  async (t, database) => {
    const mailbox = await startMailbox(t);
    const redis = await startRedis(t);
    const env = { SMTP_URL: mailbox.url, ...from };
    const setUp = await startNotifier(t, database, env, redis);
    mailbox.faults.add({ kind: 'hang', count: 1 });
    await setUp.runtime.close();
    const child = spawnNode(t, new URL('../src/main.ts', import.meta.url), {
      env: environment(redis, database, { LOG_LEVEL: 'info', ...env }),
    });
    await child.waitForLine(/listening/i, { timeoutMs: 60_000 });
    const client = new Redis(redis.url, { db: 1 });
    t.teardown(() => client.disconnect());
    await once(client, 'ready');
    const producer = createProducer({ connection: client, prefix: 'bull', logger: silentLogger() });
    await producer.add(email('ema_killed'));
    await until(() => mailbox.faults.list()[0]?.struck === 1, {
      what: 'the email to be on its way',
      timeoutMs: 30_000,
    });
    await child.kill('SIGKILL');
    await producer.close();
    const { call } = await startNotifier(t, database, env, redis);
    await settled(call, 'ema_killed', 'sent');
    t.strictSame(
      mailbox.list().map(({ messageId }) => messageId),
      ['<ema_killed@shop.example>'],
    );
  },
);

t.test('while the server is away an email waits without spending an attempt', async (t) => {
  const simulator = await startSimulator();
  const { url } = simulator.mailbox;
  await simulator.close();
  const { runtime } = await startNotifier(t, await createSqliteDatabase(t), { SMTP_URL: url, ...from });
  await runtime.producer.add(email('ema_waits'));
  const job = await until(async () => (await runtime.producer.queue('emails').getJobs(['delayed']))[0], {
    what: 'the job to be put off',
    timeoutMs: 30_000,
  });
  t.equal(job.attemptsMade, 0);
});

t.test('without a server an email fails with that reason, and can be retried', async (t) => {
  const { runtime, call } = await startNotifier(t, await createSqliteDatabase(t));
  await runtime.producer.add(email('ema_1'));
  await settled(call, 'ema_1', 'failed');
  const { data } = await call('GET', '/api/v1/failed-jobs?queue=emails');
  t.match((data as { failedJobs: unknown[] }).failedJobs, [{ code: 'EMAILS_NOT_CONFIGURED' }]);
});

t.test('half a configuration, or a sender that is none, is refused by name', async (t) => {
  const load = (env: Record<string, string>) => () =>
    loadNotifierConfig(environment({ url: 'redis://localhost' }, { url: undefined, dataDir: '.' }, env));
  t.throws(load({ SMTP_URL: 'smtp://localhost' }), { message: /^EMAIL_FROM / });
  t.throws(load({ EMAIL_FROM: 'a@b' }), { message: /^SMTP_URL / });
  t.throws(load({ SMTP_URL: 'http://localhost', EMAIL_FROM: 'a@b' }), { message: /^SMTP_URL / });
  t.throws(load({ SMTP_URL: 'smtp://localhost', EMAIL_FROM: 'Shop <a@b>, c@d' }), {
    message: /^EMAIL_FROM /,
  });
});
