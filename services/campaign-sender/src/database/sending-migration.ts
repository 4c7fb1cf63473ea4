import { columnKinds, dialectOf, ensureColumn, ensureIndex, type Migration } from '@switchyard/database';
import { type Kysely, sql } from 'kysely';

/** What pacing and resuming need: an index that finds due messages number by number, limits of portfolios, probes of paused numbers. */
export const sendingMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    const queued = ['state', 'senderId', 'priority', 'nextAttemptAtMs'];
    await ensureIndex(db, { name: 'messages_queued', table: 'messages', columns: queued });
    await ensureIndex(db, { name: 'messages_by_expiry', table: 'messages', columns: ['expiresAtMs'] });
    await dropIndex(db, 'messages_due_of_sender');
    await dropIndex(db, 'messages_due');
    await ensureColumn(db, 'senders', 'portfolioId', column.id);
    await ensureColumn(db, 'senders', 'peoplePerDay', column.integer);
    await ensureColumn(db, 'senders', 'probeAtMs', column.timestampMs);
    await ensureColumn(db, 'senders', 'probes', column.integer);
  },
};

/** Drops an index of `messages` unless a run of this migration that died has done so. */
async function dropIndex(db: Kysely<unknown>, name: string): Promise<void> {
  if (dialectOf(db) === 'mysql') {
    const { rows } = await sql`select 1 from information_schema.statistics
      where table_schema = database() and table_name = 'messages' and index_name = ${name} limit 1`.execute(
      db,
    );
    if (rows.length > 0) await db.schema.dropIndex(name).on('messages').execute();
  } else await db.schema.dropIndex(name).ifExists().execute();
}
