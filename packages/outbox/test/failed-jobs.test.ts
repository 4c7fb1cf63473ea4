import type { FailedJobEntry, Producer } from '@switchyard/jobs';
import { eachDatabase, silentLogger, until } from '@switchyard/test-kit';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import t from 'tap';
import { createFailedJobs, createOutbox } from '../src/index.ts';
import { connect, email, open, outboxSize, waiting } from './helper.ts';

const logger = silentLogger();

function entry(id: string, change: Partial<FailedJobEntry> = {}): FailedJobEntry {
  const { payload, meta } = email(id);
  return {
    queue: 'emails',
    name: 'send-email',
    jobId: id,
    data: JSON.stringify({ v: 1, payload, meta }),
    reason: 'it failed',
    code: 'SMTP_REFUSED',
    attemptsMade: 5,
    failedAtMs: 1_700_000_000_000,
    merchantId: 'm',
    correlationId: `c-${id}`,
    ...change,
  };
}

await eachDatabase(t, 'a final failure is kept whole, once', async (t, target) => {
  const database = await open(t, target);
  const { producer } = await connect(t);
  const failed = createFailedJobs({
    database,
    producer,
    outbox: createOutbox({ database, producer, logger, holdMs: 50 }),
  });
  const data = JSON.stringify({ v: 1, payload: 'ü🎈'.repeat(400_000) });
  const reason = `${'x'.repeat(1998)}🎈${'y'.repeat(5000)}`;
  const whole = entry('a', { data, reason });
  await Promise.all([failed.record(whole), failed.record(whole), failed.record(whole)]);
  await failed.record({ ...whole, failedAtMs: whole.failedAtMs + 1 });
  const { items } = await failed.list();
  t.equal(items.length, 2, 'a later failure of the same job is another');
  const first = await failed.get(items[1]?.id as string);
  t.equal(first.data, data);
  t.equal(first.reason, `${'x'.repeat(1998)}…`);
  t.match(first, { queue: 'emails', jobId: 'a', code: 'SMTP_REFUSED', attemptsMade: 5, merchantId: 'm' });
  t.notOk('data' in (items[0] as object), 'lists are light');
});

await eachDatabase(t, 'lists page from the newest to the oldest, and filter', async (t, target) => {
  const database = await open(t, target);
  const { producer } = await connect(t);
  const failed = createFailedJobs({
    database,
    producer,
    outbox: createOutbox({ database, producer, logger, holdMs: 50 }),
  });
  for (let i = 0; i < 25; i++)
    await failed.record(
      entry(`j${i}`, {
        failedAtMs: 1_700_000_000_000 + Math.floor(i / 3),
        merchantId: i % 2 ? 'odd' : 'even',
      }),
    );
  await failed.record(entry('w', { queue: 'webhooks', code: 'OTHER', failedAtMs: 1 }));
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await failed.list({ queue: 'emails', limit: 4, cursor });
    seen.push(...page.items.map(({ jobId }) => jobId));
    const times = page.items.map(({ failedAtMs }) => failedAtMs);
    t.same(
      times,
      times.toSorted((a, b) => b - a),
    );
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  t.same(seen.toSorted(), Array.from({ length: 25 }, (_, i) => `j${i}`).sort());
  t.equal((await failed.list({ merchantId: 'odd' })).items.length, 12);
  t.equal((await failed.list({ code: 'OTHER' })).items[0]?.jobId, 'w');
});

await eachDatabase(t, 'a merchant sees, retries and drops its own alone', async (t, target) => {
  const database = await open(t, target);
  const { producer } = await connect(t);
  const failed = createFailedJobs({
    database,
    producer,
    outbox: createOutbox({ database, producer, logger, holdMs: 50 }),
  });
  await failed.record(entry('a'));
  const id = (await failed.list()).items[0]?.id as string;
  const scope = { merchantId: 'other' };
  const unknown = { code: 'FAILED_JOB_UNKNOWN', statusCode: 404 };
  await t.rejects(failed.get(id, scope), unknown);
  await t.rejects(failed.retry(id, scope), unknown);
  await t.rejects(failed.drop(id, scope), unknown);
  await failed.drop(id, { merchantId: 'm' });
  await t.rejects(failed.get(id), { code: 'FAILED_JOB_UNKNOWN' });
});

await eachDatabase(t, 'a retry runs the job again, with all its attempts, once', async (t, target) => {
  const database = await open(t, target);
  const { redis, producer } = await connect(t);
  const failed = createFailedJobs({
    database,
    producer,
    outbox: createOutbox({ database, producer, logger, holdMs: 50 }),
  });
  let runs = 0;
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
  const worker = new Worker(
    'emails',
    async (job) => {
      runs++;
      if (runs === 1) throw new Error(`attempt of ${job.opts.attempts}`);
    },
    { connection },
  );
  t.teardown(async () => {
    await worker.close();
    connection.disconnect();
  });
  const ended = new Promise((resolve) => worker.once('failed', resolve));
  await producer.add(email('a', { attempts: 1 }));
  await ended;
  await until(async () => (await producer.queue('emails').getFailedCount()) === 1, { what: 'it failed' });
  await failed.record(entry('a'));
  const id = (await failed.list()).items[0]?.id as string;
  const done = new Promise((resolve) => worker.once('completed', resolve));
  await failed.retry(id);
  await done;
  t.equal(runs, 2);
  await until(async () => (await outboxSize(database)) === 0, { what: 'its row goes when the job is safe' });
  t.equal((await failed.list()).items.length, 0);
  t.match((await failed.list({ retried: true })).items, [{ jobId: 'a' }]);
  await t.rejects(failed.retry(id), { code: 'FAILED_JOB_RETRIED' });
  t.equal(await failed.purgeRetried(60_000), 0);
  await until(async () => (await failed.purgeRetried(1)) === 1, { what: 'it is old enough' });
});

await eachDatabase(t, 'a retry while Redis is dead is not lost', async (t, target) => {
  const database = await open(t, target);
  const { redis, client, producer } = await connect(t);
  const outbox = createOutbox({ database, producer, logger });
  const failed = createFailedJobs({ database, producer, outbox, olderThanMs: 0 });
  await failed.record(entry('12'));
  await redis.kill();
  const id = (await failed.list()).items[0]?.id as string;
  await failed.retry(id);
  t.equal(await outboxSize(database), 1);
  await redis.start();
  await until(() => client.status === 'ready', { what: 'the connection is back' });
  t.equal(await outbox.sweep(), 1);
  const [job] = await producer.queue('emails').getJobs(['waiting']);
  t.equal(job?.id, `retry.${id}`, "an id of BullMQ's own counting is replaced");
});

/** Puts jobs where a worker puts those that fail for good. */
async function failForGood(producer: Producer, redisUrl: string, ids: readonly string[]): Promise<void> {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const worker = new Worker('emails', () => Promise.reject(new Error('refused')), { connection });
  for (const id of ids) await producer.add(email(id, { attempts: 1 }));
  await until(async () => (await producer.queue('emails').getFailedCount()) === ids.length, {
    what: 'they failed',
  });
  await worker.close();
  connection.disconnect();
}

await eachDatabase(
  t,
  'a dropped job leaves its queue too; without its queue it is kept',
  async (t, target) => {
    const database = await open(t, target);
    const { redis, client, producer } = await connect(t);
    const outbox = createOutbox({ database, producer, logger });
    const failed = createFailedJobs({ database, producer, outbox });
    await failForGood(producer, redis.url, ['a', 'b']);
    for (const id of ['a', 'b', 'c']) await failed.record(entry(id));
    const idOf = async (jobId: string) =>
      (await failed.list()).items.find((each) => each.jobId === jobId)?.id ?? '';
    await failed.drop(await idOf('a'));
    t.strictSame(
      (await producer.queue('emails').getFailed()).map(({ id }) => id),
      ['b'],
    );
    await producer.add(email('c'));
    await failed.drop(await idOf('c'));
    t.strictSame(await waiting(producer), ['c'], 'one of the same id that is to run stays');
    const kept = await idOf('b');
    await redis.kill();
    await until(() => client.status !== 'ready', { what: 'the connection has noticed' });
    await t.rejects(failed.drop(kept), { code: 'QUEUE_AWAY' });
    t.match(await failed.list(), { items: [{ jobId: 'b' }] });
  },
);

await eachDatabase(
  t,
  'an erased person leaves the failed jobs and the failed set; others of the same job stay, and can be retried',
  async (t, target) => {
    const database = await open(t, target);
    const { redis, producer } = await connect(t);
    const outbox = createOutbox({ database, producer, logger });
    const failed = createFailedJobs({ database, producer, outbox });
    await failForGood(producer, redis.url, ['mine', 'several', 'another']);
    const data = (payload: object) => JSON.stringify({ v: 1, payload });
    const message = (messageId: string, to: string) => ({
      message: { merchantId: 'm', messageId, to, content: { type: 'text', text: { body: 'Hi' } } },
    });
    const joined = { queue: 'messages', name: 'send-messages', code: 'X' } as const;
    const both = { messages: [message('m1', '+15551234567'), message('m2', '+15559999999')] };
    await failed.record(entry('mine', { data: data({ text: 'of Ana@Example.com' }) }));
    await failed.record(entry('several', { ...joined, data: data(both) }));
    await failed.record(entry('another', { data: data({ text: 'of +155512345670' }) }));
    await failed.record(entry('theirs', { merchantId: 'n', data: data({ text: 'of +15551234567' }) }));
    const { merchantId: _, ...unowned } = entry('unowned', { data: '{"of": "+15551234567' });
    await failed.record(unowned);
    await failed.record(entry('law', { name: 'erase-person', data: data({ phone: '+15551234567' }) }));
    const identifiers = [
      { kind: 'phone', value: '+15551234567' },
      { kind: 'email', value: 'ana@example.com' },
      { kind: 'external_id', value: '1' },
    ];
    t.equal(
      await failed.forgetPerson('m', [{ kind: 'external_id', value: '1' }]),
      0,
      'too short to name anyone',
    );
    t.equal(await failed.forgetPerson('m', identifiers), 3);
    t.equal(await failed.forgetPerson('m', identifiers), 0, 'again: there is nothing left');
    const { items } = await failed.list();
    t.strictSame(items.map(({ jobId }) => jobId).sort(), ['another', 'law', 'several', 'theirs']);
    const queued = (await producer.queue('emails').getFailed()).map(({ id }) => id).sort();
    t.strictSame(queued, ['another', 'several'], 'those of other queues are not touched');
    const { id } = items.find(({ jobId }) => jobId === 'several')!;
    await failed.retry(id);
    const [again] = await producer.queue('messages').getJobs(['prioritized']);
    t.strictSame(again?.data.payload, { messages: [both.messages[1]] });
  },
);

await eachDatabase(t, 'what can not be read, or the catalog refuses, is not retried', async (t, target) => {
  const database = await open(t, target);
  const { producer } = await connect(t);
  const failed = createFailedJobs({
    database,
    producer,
    outbox: createOutbox({ database, producer, logger, holdMs: 50 }),
  });
  const cases = { 'not json': '{', 'no envelope': '[1]', refused: JSON.stringify({ v: 1, payload: {} }) };
  for (const [jobId, data] of Object.entries(cases)) {
    await failed.record(entry(jobId, { data }));
    const id = (await failed.list()).items[0]?.id as string;
    await t.rejects(failed.retry(id), {
      code: jobId === 'refused' ? 'PAYLOAD_INVALID' : 'FAILED_JOB_UNREADABLE',
    });
    t.equal((await failed.list()).items.length, 1, 'it still waits for someone');
    await failed.drop(id);
  }
});
