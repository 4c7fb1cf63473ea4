import { columnKinds, ensureIndex, type Migration } from '@switchyard/database';
import type { Kysely } from 'kysely';

/** What merchants' endpoints want to hear of. */
export const subscriptionsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('event_subscriptions')
      .ifNotExists()
      .addColumn('merchantId', column.id, (c) => c.primaryKey())
      .addColumn('version', column.integer, (c) => c.notNull())
      .addColumn('eventTypes', column.longText, (c) => c.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'event_subscriptions_by_time',
      table: 'event_subscriptions',
      columns: ['updatedAtMs'],
    });
  },
};
