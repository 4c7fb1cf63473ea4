import { silentLogger, type TestDatabase } from '@switchyard/test-kit';
import type { Kysely } from 'kysely';
import type { Test } from 'tap';
import {
  columnKinds,
  type Database,
  type LeasesTable,
  leasesMigration,
  type Migration,
  openDatabase,
} from '../src/index.ts';

export interface ThingsTable {
  merchantId: string;
  id: string;
  value: string | null;
  count: number;
}

export interface TestTables {
  things: ThingsTable;
  leases: LeasesTable;
}

export const thingsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('things')
      .ifNotExists()
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('id', column.id, (c) => c.notNull())
      .addColumn('value', column.longText)
      .addColumn('count', column.integer, (c) => c.notNull())
      .addPrimaryKeyConstraint('things_key', ['merchantId', 'id'])
      .execute();
  },
};

/** A database with the tables of these tests, closed at the end. */
export async function open(
  t: Test,
  { url, dataDir }: TestDatabase,
  options: { service?: string; poolSize?: number; queryTimeoutMs?: number } = {},
): Promise<Database<TestTables>> {
  const database = await openDatabase<TestTables>({
    service: 'test-service',
    url,
    dataDir,
    migrations: { '001-things': thingsMigration, '002-leases': leasesMigration },
    logger: silentLogger(),
    ...options,
  });
  t.teardown(() => database.close());
  return database;
}

export const thing = (id: string, value: string | null = null, count = 0, merchantId = 'm'): ThingsTable => ({
  merchantId,
  id,
  value,
  count,
});
