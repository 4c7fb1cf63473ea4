import { columnKinds, type Database, type Kysely, type Migration, openDatabase } from '@switchyard/database';
import { createProducer, type JobToAdd, type Producer } from '@switchyard/jobs';
import {
  silentLogger,
  startRedis,
  type TestDatabase,
  type TestRedis,
  type TestRedisOptions,
} from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import {
  failedJobsMigration,
  type OutboxTables,
  outboxMigration,
  processedJobsMigration,
} from '../src/index.ts';

export interface Tables extends OutboxTables {
  states: { id: string };
  effects: { seq?: number; jobId: string };
}

const statesMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('states')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .execute();
    await db.schema
      .createTable('effects')
      .ifNotExists()
      .addColumn('seq', column.sequence)
      .addColumn('jobId', column.id, (c) => c.notNull())
      .execute();
  },
};

export function openTables(target: { url: string | undefined; dataDir: string }): Promise<Database<Tables>> {
  return openDatabase<Tables>({
    service: 'outbox-test',
    url: target.url,
    dataDir: target.dataDir,
    migrations: {
      '001-outbox': outboxMigration,
      '002-processed': processedJobsMigration,
      '003-failed': failedJobsMigration,
      '004-states': statesMigration,
    },
    logger: silentLogger(),
  });
}

/** A database, closed at the end. */
export async function open(t: Test, target: TestDatabase): Promise<Database<Tables>> {
  const database = await openTables(target);
  t.teardown(() => database.close());
  return database;
}

/** A Redis of the test's own, and a producer that fails fast on it. */
export async function connect(
  t: Test,
  options: TestRedisOptions = {},
): Promise<{ redis: TestRedis; client: Redis; producer: Producer }> {
  const redis = await startRedis(t, options);
  const client = new Redis(redis.url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 1000,
    retryStrategy: () => 50,
  });
  client.on('error', () => {});
  await new Promise((resolve) => client.once('ready', resolve));
  const producer = createProducer({ connection: client, prefix: 'bull', logger: silentLogger() });
  t.teardown(async () => {
    await producer.close();
    client.disconnect();
  });
  return { redis, client, producer };
}

export function email(emailId: string, options?: JobToAdd['options']): JobToAdd {
  return {
    queue: 'emails',
    name: 'send-email',
    payload: { merchantId: 'm', emailId, to: ['a@example.com'], subject: 'Hello' },
    ...(options === undefined ? {} : { options }),
    meta: { correlationId: `c-${emailId}`, merchantId: 'm' },
  };
}

/** The ids that wait in `emails`, sorted. */
export async function waiting(producer: Producer): Promise<string[]> {
  const jobs = await producer.queue('emails').getJobs(['waiting', 'delayed', 'prioritized']);
  return jobs.map((job) => job.id as string).sort();
}

export const outboxSize = async (database: Database<Tables>): Promise<number> =>
  (await database.db.selectFrom('outbox').select('id').execute()).length;
