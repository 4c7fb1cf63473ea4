import { columnKinds, ensureIndex, type Kysely, type Migration } from '@switchyard/database';

/** Creates `outbox`. */
export const outboxMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('outbox')
      .ifNotExists()
      .addColumn('id', column.text(40), (c) => c.primaryKey())
      .addColumn('queue', column.text(64), (c) => c.notNull())
      .addColumn('name', column.text(64), (c) => c.notNull())
      .addColumn('jobId', column.id, (c) => c.notNull())
      .addColumn('job', column.longText, (c) => c.notNull())
      .addColumn('again', column.flag, (c) => c.notNull())
      .addColumn('enqueuedAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('notBeforeMs', column.timestampMs, (c) => c.notNull())
      .addColumn('claim', column.text(40))
      .execute();
    await ensureIndex(db, { name: 'outbox_due', table: 'outbox', columns: ['notBeforeMs', 'id'] });
  },
};

/** Creates `processed_jobs`. */
export const processedJobsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('processed_jobs')
      .ifNotExists()
      .addColumn('jobId', column.id, (c) => c.primaryKey())
      .addColumn('token', column.text(24), (c) => c.notNull())
      .addColumn('processedAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'processed_jobs_age',
      table: 'processed_jobs',
      columns: ['processedAtMs'],
    });
  },
};

/** Creates `failed_jobs`. */
export const failedJobsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('failed_jobs')
      .ifNotExists()
      .addColumn('id', column.text(64), (c) => c.primaryKey())
      .addColumn('queue', column.text(64), (c) => c.notNull())
      .addColumn('name', column.text(128), (c) => c.notNull())
      .addColumn('jobId', column.id, (c) => c.notNull())
      .addColumn('merchantId', column.id)
      .addColumn('correlationId', column.id)
      .addColumn('code', column.text(64), (c) => c.notNull())
      .addColumn('reason', column.text(2000), (c) => c.notNull())
      .addColumn('data', column.longText, (c) => c.notNull())
      .addColumn('attemptsMade', column.integer, (c) => c.notNull())
      .addColumn('failedAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('retriedAtMs', column.timestampMs)
      .execute();
    await ensureIndex(db, {
      name: 'failed_jobs_merchant',
      table: 'failed_jobs',
      columns: ['merchantId', 'id'],
    });
    await ensureIndex(db, { name: 'failed_jobs_queue', table: 'failed_jobs', columns: ['queue', 'id'] });
    await ensureIndex(db, { name: 'failed_jobs_retried', table: 'failed_jobs', columns: ['retriedAtMs'] });
  },
};
