import type { JobToAdd } from '@switchyard/jobs';
import { eachDatabase, recordingLogger, silentLogger, until } from '@switchyard/test-kit';
import t from 'tap';
import { createOutbox } from '../src/index.ts';
import { connect, email, open, outboxSize, waiting } from './helper.ts';

const logger = silentLogger();

await eachDatabase(t, 'state and job are both there, or neither', async (t, target) => {
  const database = await open(t, target);
  const { producer } = await connect(t);
  const outbox = createOutbox({ database, producer, logger, holdMs: 50 });
  const answer = await outbox.transaction(async (trx, enqueue) => {
    await trx.insertInto('states').values({ id: 'a' }).execute();
    enqueue(email('a'));
    return 42;
  });
  t.equal(answer, 42);
  await until(async () => (await outbox.pending()) === 0, { what: 'the job is added' });
  t.same(await waiting(producer), ['a'], 'the job is added right after the commit');
  await until(async () => (await outboxSize(database)) === 0, { what: 'its row is gone' });

  const rolledBack = outbox.transaction(async (_trx, enqueue) => {
    enqueue(email('b'));
    throw new Error('no');
  });
  await t.rejects(rolledBack, /no/);
  const invalid = outbox.transaction(async (trx, enqueue) => {
    await trx.insertInto('states').values({ id: 'c' }).execute();
    enqueue({ queue: 'emails', name: 'send-email', payload: {} } as unknown as JobToAdd);
  });
  await t.rejects(invalid, { code: 'PAYLOAD_INVALID' });
  let late = (_: JobToAdd) => {};
  await outbox.transaction(async (_trx, enqueue) => {
    late = enqueue;
  });
  t.throws(() => late(email('d')), { code: 'ENQUEUED_TOO_LATE' });
  await outbox.close();
  t.same(await waiting(producer), ['a']);
  t.same(await database.db.selectFrom('states').selectAll().execute(), [{ id: 'a' }]);
});

await eachDatabase(t, 'concurrent transactions share adds and deletes', async (t, target) => {
  const database = await open(t, target);
  const { producer } = await connect(t);
  let calls = 0;
  const counting = {
    ...producer,
    addMany: (jobs: readonly JobToAdd[]) => {
      calls++;
      return producer.addMany(jobs);
    },
  };
  const outbox = createOutbox({ database, producer: counting, logger, backlogMost: 20, holdMs: 50 });
  await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      outbox.transaction(async (trx, enqueue) => {
        await trx
          .insertInto('states')
          .values({ id: `s${i}` })
          .execute();
        enqueue(email(`x${i}`));
        enqueue(email(`y${i}`));
      }),
    ),
  );
  await until(async () => (await outboxSize(database)) === 0, { what: 'all are added, and their rows gone' });
  await outbox.close();
  t.equal((await waiting(producer)).length, 400);
  t.ok(calls < 200, `${calls} calls for 200 transactions`);
});

await eachDatabase(
  t,
  'a dead Redis fails no transaction, and the sweeper adds when it is back',
  async (t, target) => {
    const database = await open(t, target);
    const { redis, producer } = await connect(t);
    const { logger, lines } = recordingLogger();
    const outbox = createOutbox({
      database,
      producer,
      logger,
      sweepIntervalMs: 50,
      olderThanMs: 0,
      holdMs: 50,
      backlogMost: 3,
    });
    outbox.start();
    t.teardown(() => outbox.close());
    await redis.kill();
    const ids = Array.from({ length: 40 }, (_, i) => `d${String(i).padStart(2, '0')}`);
    for (const id of ids) await outbox.transaction(async (_trx, enqueue) => enqueue(email(id)));
    t.equal(await outboxSize(database), 40);
    await redis.start();
    await until(async () => (await outboxSize(database)) === 0, { what: 'the sweeper has added all' });
    t.same(await waiting(producer), ids);
    t.ok(lines.length < 20, 'an outage is not a flood of log lines');
  },
);

await eachDatabase(t, 'a hung Redis holds up no transaction beyond the first seconds', async (t, target) => {
  const database = await open(t, target);
  const { producer } = await connect(t);
  let thaw = () => {};
  const frozen = new Promise<void>((resolve) => {
    thaw = resolve;
  });
  // A worker's connection waits without an end.
  const hanging = {
    ...producer,
    addMany: (jobs: readonly JobToAdd[]) => frozen.then(() => producer.addMany(jobs)),
  };
  const outbox = createOutbox({
    database,
    producer: hanging,
    logger,
    sweepIntervalMs: 50,
    olderThanMs: 0,
    holdMs: 50,
    backlogMost: 2,
  });
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      outbox.transaction(async (_trx, enqueue) => enqueue(email(`h${i}`))),
    ),
  );
  for (let i = 20; i < 30; i++) await outbox.transaction(async (_trx, enqueue) => enqueue(email(`h${i}`)));
  t.equal(await outboxSize(database), 30);
  thaw();
  outbox.start();
  await until(async () => (await outboxSize(database)) === 0, { what: 'all are added' });
  await outbox.close();
  t.equal((await waiting(producer)).length, 30);
});

await eachDatabase(t, 'replicas that sweep at once add every job, each row once', async (t, target) => {
  const database = await open(t, target);
  const { redis, client, producer } = await connect(t);
  const writer = createOutbox({ database, producer, logger, olderThanMs: 0 });
  await redis.kill();
  await writer.transaction(async (_trx, enqueue) => {
    for (let i = 0; i < 1200; i++) enqueue(email(`r${i}`));
  });
  await writer.close();
  t.equal(await outboxSize(database), 1200);
  await redis.start();
  await until(() => client.status === 'ready', { what: 'the connection is back' });
  const seen: string[] = [];
  const replicas = Array.from({ length: 3 }, () =>
    createOutbox({
      database,
      logger,
      holdMs: 50,
      producer: {
        ...producer,
        addMany: (jobs: readonly JobToAdd[]) => {
          seen.push(...jobs.map((job) => job.options?.jobId ?? ''));
          return producer.addMany(jobs);
        },
      },
    }),
  );
  const swept = await Promise.all(replicas.map((replica) => replica.sweep()));
  t.equal(
    swept.reduce((sum, each) => sum + each, 0),
    1200,
  );
  t.equal(new Set(seen).size, seen.length, 'no row was swept by two');
  await until(async () => (await outboxSize(database)) === 0, { what: 'the rows are gone' });
  t.equal((await waiting(producer)).length, 1200);
});

await eachDatabase(t, 'a job that its queue refuses is kept and holds up no other', async (t, target) => {
  const database = await open(t, target);
  const { producer } = await connect(t);
  const { logger, lines } = recordingLogger();
  // As after a deployment: what wrote the row knew the payload, what adds it does not.
  const outbox = createOutbox({ database, producer: { ...producer, check: () => {} }, logger, holdMs: 50 });
  await outbox.transaction(async (_trx, enqueue) => {
    enqueue(email('good'));
    enqueue({ queue: 'emails', name: 'send-email', payload: { emailId: 'bad' } } as unknown as JobToAdd);
  });
  await until(async () => (await outboxSize(database)) === 1, { what: 'the row of the other is gone' });
  await outbox.close();
  t.same(await waiting(producer), ['good']);
  t.match(await database.db.selectFrom('outbox').select('jobId').execute(), [{ jobId: 'bad' }]);
  t.ok(lines.some((line) => JSON.stringify(line).includes('PAYLOAD_INVALID')));
});

await eachDatabase(
  t,
  'every job has an id that is the same at every add, and its delay counts from the start',
  async (t, target) => {
    const database = await open(t, target);
    const { redis, client, producer } = await connect(t);
    const outbox = createOutbox({ database, producer, logger, olderThanMs: 0 });
    await redis.kill();
    await outbox.transaction(async (_trx, enqueue) => {
      enqueue({
        queue: 'campaigns',
        name: 'start-campaign',
        payload: { merchantId: 'm', campaignId: 'k' },
      } as JobToAdd);
      enqueue(email('late', { delayMs: 3_600_000, priority: 2, attempts: 9 }));
    });
    await outbox.close();
    const rows = await database.db.selectFrom('outbox').selectAll().orderBy('id').execute();
    t.equal(rows[0]?.jobId, `outbox_${rows[0]?.id}`);
    await database.db
      .updateTable('outbox')
      .set({ enqueuedAtMs: Date.now() - 3_000_000 })
      .execute();
    await redis.start();
    await until(() => client.status === 'ready', { what: 'the connection is back' });
    await createOutbox({ database, producer, logger }).sweep();
    t.same(
      await producer
        .queue('campaigns')
        .getJob(rows[0]?.jobId as string)
        .then((job) => job?.name),
      'start-campaign',
    );
    const late = await producer.queue('emails').getJob('late');
    t.ok((late?.opts.delay ?? 0) <= 600_000 && (late?.opts.delay ?? 0) > 500_000, `${late?.opts.delay}`);
    t.match(late?.opts, { priority: 2, attempts: 9 });
    t.match(late?.data, { meta: { correlationId: 'c-late' } });
  },
);

await eachDatabase(
  t,
  'jobs that are added together may share one; where that one is refused, each is added by itself',
  async (t, target) => {
    const database = await open(t, target);
    const { producer } = await connect(t);
    let isRefused = false;
    const outbox = createOutbox({
      database,
      producer,
      logger,
      holdMs: 50,
      join(jobs) {
        if (jobs.length === 1) return jobs;
        const ids = jobs.map(({ payload }) => (payload as { emailId: string }).emailId);
        return [isRefused ? ({ ...email('x'), payload: {} } as never) : email(ids.join('-'))];
      },
    });
    const ask = (ids: readonly string[]) =>
      outbox.transaction(async (_trx, enqueue) => {
        for (const id of ids) enqueue(email(id));
      });
    await ask(['a', 'b', 'c']);
    await until(async () => (await outboxSize(database)) === 0, { what: 'all rows are gone' });
    t.same(await waiting(producer), ['a-b-c']);
    await ask(['d']);
    isRefused = true;
    await ask(['e', 'f']);
    await until(async () => (await outboxSize(database)) === 0, { what: 'all rows are gone' });
    t.same(await waiting(producer), ['a-b-c', 'd', 'e', 'f'], 'no row is lost to a job that cannot be');
    await outbox.close();
  },
);
