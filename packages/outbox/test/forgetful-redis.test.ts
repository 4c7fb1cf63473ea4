import type { Database } from '@switchyard/database';
import { eachDatabase, silentLogger, type TestRedis, until } from '@switchyard/test-kit';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { createFailedJobs, createOutbox, createProcessedJobs } from '../src/index.ts';
import { connect, email, open, outboxSize, type Tables, waiting } from './helper.ts';

const logger = silentLogger();
/** Nothing is deleted, and nothing swept, before the test wants it. */
const slow = { holdMs: 600_000, olderThanMs: 600_000 };

/** Consumes `emails`: an effect per job, once. What is done is forgotten by the queue: only the consumer's key tells repeats. */
function consume(t: Test, redis: TestRedis, database: Database<Tables>) {
  const processed = createProcessedJobs({ database });
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
  connection.on('error', () => {});
  const attempts: string[] = [];
  const worker = new Worker(
    'emails',
    async (job) => {
      const jobId = job.id as string;
      await database.transaction(async (trx) => {
        if (await processed.firstTime(trx, jobId))
          await trx.insertInto('effects').values({ jobId }).execute();
      });
      attempts.push(jobId);
    },
    { connection, concurrency: 5, removeOnComplete: { count: 0 } },
  );
  worker.on('error', () => {});
  const close = async () => {
    await worker.close();
    connection.disconnect();
  };
  t.teardown(close);
  return { attempts, close };
}

const effects = async (database: Database<Tables>): Promise<string[]> =>
  (await database.db.selectFrom('effects').select('jobId').execute()).map(({ jobId }) => jobId).sort();

/** As if so much time had passed that every row is a sweeper's. */
const age = (database: Database<Tables>) =>
  database.db.updateTable('outbox').set({ notBeforeMs: 0 }).execute();

const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

await eachDatabase(
  t,
  'jobs that Redis has acknowledged and forgotten come again, each effect once',
  async (t, target) => {
    const database = await open(t, target);
    const { redis, client, producer } = await connect(t, { aof: true });
    const outbox = createOutbox({ database, producer, logger, ...slow });
    t.teardown(() => outbox.close());
    await redis.mark();
    const [done, lost] = [ids('done', 5), ids('lost', 5)];
    const enqueueAll = (wanted: string[]) =>
      outbox.transaction(async (_trx, enqueue) => {
        for (const id of wanted) enqueue(email(id));
      });
    const before = consume(t, redis, database);
    await enqueueAll(done);
    await until(() => before.attempts.length === 5, { what: 'five are consumed' });
    await before.close();
    await enqueueAll(lost);
    await until(async () => (await outbox.pending()) === 0, { what: 'all are added' });
    t.same(await waiting(producer), lost);
    t.equal(await outboxSize(database), 10, 'the rows stay although the jobs were acknowledged');

    await redis.forget();
    await until(() => client.status === 'ready', { what: 'the connection is back' });
    t.same(await waiting(producer), [], 'it has forgotten them');
    t.equal(await outbox.pending(), 10);
    await age(database);
    t.equal(await outbox.sweep(), 10);
    t.same(await waiting(producer), [...done, ...lost]);
    const after = consume(t, redis, database);
    await until(() => after.attempts.length === 10, { what: 'all come again' });
    t.same(await effects(database), [...done, ...lost]);
    t.equal(await outbox.pending(), 0);
  },
);

await eachDatabase(
  t,
  'a connection that breaks without loss repeats no effect, and the rows go in the end',
  async (t, target) => {
    const database = await open(t, target);
    const { redis, client, producer } = await connect(t);
    const outbox = createOutbox({ database, producer, logger, ...slow });
    t.teardown(() => outbox.close());
    const consumer = consume(t, redis, database);
    await outbox.transaction(async (_trx, enqueue) => {
      for (const id of ids('b', 5)) enqueue(email(id));
    });
    await until(() => consumer.attempts.length === 5, { what: 'all are consumed' });
    const back = new Promise((resolve) => client.once('ready', resolve));
    client.disconnect(true);
    await back;
    t.equal(await outbox.pending(), 5, 'it can not be known that it was no loss');
    await age(database);
    const next = createOutbox({ database, producer, logger, holdMs: 50 });
    t.teardown(() => next.close());
    t.equal(await next.sweep(), 5);
    await until(() => consumer.attempts.length === 10, { what: 'they came again' });
    t.same(await effects(database), ids('b', 5));
    await until(async () => (await outboxSize(database)) === 0, { what: 'the rows are gone' });
  },
);

await eachDatabase(t, 'a process that ends within the hold leaves its rows to another', async (t, target) => {
  const database = await open(t, target);
  const { producer } = await connect(t);
  const first = createOutbox({ database, producer, logger, ...slow });
  await first.transaction(async (_trx, enqueue) => enqueue(email('a')));
  await until(async () => (await first.pending()) === 0, { what: 'it is added' });
  await first.close();
  t.equal(await outboxSize(database), 1);
  const next = createOutbox({ database, producer, logger, holdMs: 50 });
  t.teardown(() => next.close());
  t.equal(await next.sweep(), 0, 'not before its time');
  await age(database);
  t.equal(await next.sweep(), 1);
  t.same(await waiting(producer), ['a'], 'what is still in the queue is not doubled');
  await until(async () => (await outboxSize(database)) === 0, { what: 'the row is gone' });
});

await eachDatabase(
  t,
  'a Redis that no longer answers when the hold ends proves nothing',
  async (t, target) => {
    const database = await open(t, target);
    const { redis, producer } = await connect(t);
    let frozen: Promise<boolean> | undefined;
    const outbox = createOutbox({
      database,
      producer,
      logger,
      holdMs: 50,
      olderThanMs: 600_000,
      signal: (point) => {
        if (point === 'after-add') frozen ??= redis.freeze().then(() => true);
      },
    });
    t.teardown(() => outbox.close());
    t.teardown(() => redis.thaw());
    await outbox.transaction(async (_trx, enqueue) => enqueue(email('a')));
    await until(() => frozen, { what: 'it is added' });
    await until(async () => (await outbox.pending()) === 1, { what: 'it counts as unsafe' });
    redis.thaw();
    t.equal(await outboxSize(database), 1);
  },
);

await eachDatabase(t, 'what is held is bounded; the rest is left to the sweeper', async (t, target) => {
  const database = await open(t, target);
  const { producer } = await connect(t);
  const full = createOutbox({ database, producer, logger, ...slow, heldMost: 5 });
  for (const id of ids('f', 12)) {
    await full.transaction(async (_trx, enqueue) => enqueue(email(id)));
    await until(() => full.backlog() === 0, { what: 'it is added' });
  }
  t.equal((await waiting(producer)).length, 5, 'no more are added than may be remembered');
  t.equal(await full.pending(), 7);
  await full.close();

  await age(database);
  const outbox = createOutbox({ database, producer, logger, holdMs: 50, heldMost: 5, sweepIntervalMs: 50 });
  t.teardown(() => outbox.close());
  outbox.start();
  for (const id of ids('g', 30)) await outbox.transaction(async (_trx, enqueue) => enqueue(email(id)));
  await database.db.updateTable('outbox').set({ notBeforeMs: 0 }).where('claim', 'is', null).execute();
  await until(async () => (await outboxSize(database)) === 0, { what: 'all rows are gone' });
  t.equal((await waiting(producer)).length, 42);
});

await eachDatabase(t, 'a retry by hand that Redis has forgotten comes again', async (t, target) => {
  const database = await open(t, target);
  const { redis, client, producer } = await connect(t, { aof: true });
  const outbox = createOutbox({ database, producer, logger, ...slow });
  t.teardown(() => outbox.close());
  const failed = createFailedJobs({ database, producer, outbox, olderThanMs: slow.olderThanMs });
  const { queue, name, payload } = email('a');
  await failed.record({
    queue,
    name,
    jobId: 'a',
    data: JSON.stringify({ v: 1, payload }),
    reason: 'no',
    code: 'NO',
    attemptsMade: 1,
    failedAtMs: Date.now(),
  });
  await redis.mark();
  await failed.retry((await failed.list()).items[0]?.id as string);
  t.same(await waiting(producer), ['a']);
  t.equal(await outbox.pending(), 0);
  await redis.forget();
  await until(() => client.status === 'ready', { what: 'the connection is back' });
  t.same(await waiting(producer), []);
  await age(database);
  t.equal(await outbox.sweep(), 1);
  t.same(await waiting(producer), ['a']);
});
