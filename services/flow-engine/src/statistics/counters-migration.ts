import { columnKinds, ensureIndex, type Kysely, type Migration } from '@switchyard/database';
import { sql } from 'kysely';

/** Counters of runs by flow, version, node and day. Flows that have runs already begin with what those have come to. */
export const createCounters: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('flowCounters')
      .ifNotExists()
      .addColumn('flowId', column.id, (each) => each.notNull())
      .addColumn('flowVersion', column.integer, (each) => each.notNull())
      .addColumn('node', column.text(64), (each) => each.notNull())
      .addColumn('day', column.integer, (each) => each.notNull())
      .addColumn('shard', column.integer, (each) => each.notNull())
      .addColumn('entered', column.integer, (each) => each.notNull())
      .addColumn('waiting', column.integer, (each) => each.notNull())
      .addColumn('finished', column.integer, (each) => each.notNull())
      .addColumn('failed', column.integer, (each) => each.notNull())
      .addColumn('cancelled', column.integer, (each) => each.notNull())
      .addPrimaryKeyConstraint('flowCountersKey', ['flowId', 'flowVersion', 'node', 'day', 'shard'])
      .execute();
    await ensureIndex(db, { name: 'flowCountersByDay', table: 'flowCounters', columns: ['day'] });
    // Run again after a death in the middle, it must not count twice.
    await sql`delete from flowCounters where day = 0 and node = ''`.execute(db);
    await sql`insert into flowCounters
      (flowId, flowVersion, node, day, shard, entered, waiting, finished, failed, cancelled)
      select flowId, flowVersion, '', 0, 0, count(*),
        sum(case when status = 'waiting' then 1 else 0 end),
        sum(case when status = 'finished' then 1 else 0 end),
        sum(case when status = 'failed' then 1 else 0 end),
        sum(case when status = 'cancelled' then 1 else 0 end)
      from runs group by flowId, flowVersion`.execute(db);
  },
};
