import { columnKinds, ensureColumn, ensureIndex, type Migration } from '@switchyard/database';
import type { Kysely } from 'kysely';

/** Fallbacks of messages, lists by time, and answers kept under their Idempotency-Key. */
export const messagesMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await ensureColumn(db, 'messages', 'templateFallback', column.longText);
    await ensureColumn(db, 'messages', 'replaced', column.longText);
    await ensureIndex(db, {
      name: 'messages_by_time',
      table: 'messages',
      columns: ['merchantId', 'createdAtMs', 'id'],
    });
    await db.schema
      .createTable('idempotent_requests')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('requestHash', column.text(64), (c) => c.notNull())
      .addColumn('answer', column.longText, (c) => c.notNull())
      .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'idempotent_requests_by_time',
      table: 'idempotent_requests',
      columns: ['createdAtMs'],
    });
  },
};
