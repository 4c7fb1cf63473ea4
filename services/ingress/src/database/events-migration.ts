import { columnKinds, ensureIndex, type Kysely, type Migration } from '@switchyard/database';

/** Events that could not be routed, and what `control` has told. */
export const eventsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('unrouted_events')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('kind', column.text(16), (c) => c.notNull())
      .addColumn('reason', column.text(64), (c) => c.notNull())
      .addColumn('appId', column.id, (c) => c.notNull())
      .addColumn('merchantId', column.id)
      .addColumn('sourceKey', column.id)
      .addColumn('field', column.text(64))
      .addColumn('body', column.longText, (c) => c.notNull())
      .addColumn('bodyEncoding', column.text(16), (c) => c.notNull())
      .addColumn('bodyBytes', column.integer, (c) => c.notNull())
      .addColumn('receivedAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('replayedAtMs', column.timestampMs)
      .execute();
    await ensureIndex(db, {
      name: 'unrouted_events_time',
      table: 'unrouted_events',
      columns: ['receivedAtMs', 'id'],
    });

    await db.schema
      .createTable('subscriptions')
      .ifNotExists()
      .addColumn('merchantId', column.id, (c) => c.primaryKey())
      .addColumn('version', column.integer, (c) => c.notNull())
      .addColumn('eventTypes', column.longText, (c) => c.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (c) => c.notNull())
      .execute();

    await db.schema
      .createTable('erasures')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('sealedIdentifiers', column.longText, (c) => c.notNull())
      .addColumn('requestedAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('recordedAtMs', column.timestampMs, (c) => c.notNull())
      .execute();

    await db.schema
      .createTable('erasure_acknowledgements')
      .ifNotExists()
      .addColumn('erasureId', column.id, (c) => c.notNull())
      .addColumn('owner', column.text(64), (c) => c.notNull())
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('erasedRecords', column.integer, (c) => c.notNull())
      .addColumn('completedAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'erasure_acknowledgements_key',
      table: 'erasure_acknowledgements',
      columns: ['erasureId', 'owner'],
      unique: true,
    });
  },
};
