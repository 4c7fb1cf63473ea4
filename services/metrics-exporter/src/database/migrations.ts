import { columnKinds, ensureIndex, type Kysely, type Migration } from '@switchyard/database';

const createTables: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('analyticsSnapshots')
      .ifNotExists()
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('owner', column.id, (each) => each.notNull())
      .addColumn('period', column.text(16), (each) => each.notNull())
      .addColumn('startsAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('endsAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('figures', column.longText, (each) => each.notNull())
      .addColumn('recordedAtMs', column.timestampMs, (each) => each.notNull())
      .addPrimaryKeyConstraint('analyticsSnapshotsKey', ['merchantId', 'period', 'startsAtMs', 'owner'])
      .execute();

    await db.schema
      .createTable('boardActions')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('operator', column.id, (each) => each.notNull())
      .addColumn('method', column.text(16), (each) => each.notNull())
      .addColumn('action', column.id, (each) => each.notNull())
      .addColumn('queue', column.id)
      .addColumn('jobId', column.id)
      .addColumn('params', column.longText, (each) => each.notNull())
      .addColumn('status', column.integer)
      .addColumn('requestId', column.id, (each) => each.notNull())
      .addColumn('correlationId', column.id, (each) => each.notNull())
      .addColumn('address', column.text(64), (each) => each.notNull())
      .addColumn('atMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, { name: 'boardActionsByTime', table: 'boardActions', columns: ['atMs'] });
  },
};

/** The tables that metrics-exporter owns. */
export const migrations: Record<string, Migration> = { 'metrics-exporter-0001-tables': createTables };
