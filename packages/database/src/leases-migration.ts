import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { columnKinds } from './column-kinds.ts';
import { ensureIndex } from './ensure-schema.ts';

/** The table of {@link createLeases}. */
export interface LeasesTable {
  name: string;
  /** Empty once released. */
  owner: string;
  fence: number;
  /** 0 once released. */
  expiresAtMs: number;
}

/** Creates the table `leases`. */
export const leasesMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('leases')
      .ifNotExists()
      .addColumn('name', column.id, (c) => c.primaryKey())
      .addColumn('owner', column.id, (c) => c.notNull())
      .addColumn('fence', column.integer, (c) => c.notNull())
      .addColumn('expiresAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureIndex(db, { name: 'leases_expiry', table: 'leases', columns: ['expiresAtMs'] });
  },
};
