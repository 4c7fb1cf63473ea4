import { columnKinds, ensureColumn, type Kysely, type Migration } from '@switchyard/database';

/** What ingress needs to take in by itself what the queue's Redis has forgotten. */
export const recoveryMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('queue_runs')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('run', column.id, (c) => c.notNull())
      .addColumn('seenAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureColumn(db, 'archive_replays', 'reason', column.text(32), (c) =>
      c.notNull().defaultTo('requested'),
    );
    await ensureColumn(db, 'archive_replays', 'notBeforeMs', column.timestampMs, (c) =>
      c.notNull().defaultTo(0),
    );
    await ensureColumn(db, 'archive_replays', 'startedAtMs', column.timestampMs);
    await ensureColumn(db, 'archive_replays', 'round', column.integer, (c) => c.notNull().defaultTo(0));
  },
};
