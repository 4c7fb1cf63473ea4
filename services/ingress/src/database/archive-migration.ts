import { columnKinds, ensureColumn, ensureIndex, type Kysely, type Migration } from '@switchyard/database';

/** The archive of raw webhooks and its replays. */
export const archiveMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('archive_segments')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('fromMs', column.timestampMs, (c) => c.notNull())
      .addColumn('toMs', column.timestampMs, (c) => c.notNull())
      .addColumn('entries', column.integer, (c) => c.notNull())
      .addColumn('packedBytes', column.integer, (c) => c.notNull())
      .addColumn('packed', column.longText, (c) => c.notNull())
      .execute();
    await ensureIndex(db, { name: 'archive_segments_time', table: 'archive_segments', columns: ['toMs'] });
    await ensureIndex(db, {
      name: 'archive_segments_merchant',
      table: 'archive_segments',
      columns: ['merchantId', 'id'],
    });
    await db.schema
      .createTable('archive_replays')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('merchantId', column.id)
      .addColumn('kind', column.text(16))
      .addColumn('fromMs', column.timestampMs, (c) => c.notNull())
      .addColumn('toMs', column.timestampMs, (c) => c.notNull())
      .addColumn('afterId', column.id, (c) => c.notNull())
      .addColumn('accepted', column.integer, (c) => c.notNull())
      .addColumn('unrouted', column.integer, (c) => c.notNull())
      .addColumn('refused', column.integer, (c) => c.notNull())
      .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('finishedAtMs', column.timestampMs)
      .execute();
    await ensureColumn(db, 'merchants', 'archiveOff', column.flag, (c) => c.notNull().defaultTo(0));
  },
};
