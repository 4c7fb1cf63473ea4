import type { Database } from '@switchyard/database';
import type { FlowTables } from '../database/tables.ts';

/** Runs looked at in one transaction. */
const BATCH_SIZE = 500;

/**
 * Forgets runs that ended before a time, with their journals and what became of their messages. Figures stay: they are counters. Runs that
 * wait stay however old they are; their flow ends them (`maxDays`).
 *
 * Goes through the runs by id, which sorts by time, so that no index has to be kept for it. Dies in between: the next time it begins
 * anew. Replicas may prune at once.
 *
 * @returns how many went.
 */
export async function pruneRuns(
  database: Database<FlowTables>,
  endedBeforeMs: number,
  signal: AbortSignal,
): Promise<number> {
  let pruned = 0;
  for (let after = ''; !signal.aborted; ) {
    const batch = await database.db
      .selectFrom('runs')
      .select(['id', 'status', 'createdAtMs', 'updatedAtMs'])
      .where('id', '>', after)
      .orderBy('id')
      .limit(BATCH_SIZE)
      .execute();
    const last = batch.at(-1);
    const old = batch.filter(
      ({ status, updatedAtMs }) => status !== 'waiting' && updatedAtMs < endedBeforeMs,
    );
    if (old.length > 0)
      pruned += await forget(
        database,
        old.map(({ id }) => id),
        endedBeforeMs,
      );
    if (!last || batch.length < BATCH_SIZE || last.createdAtMs >= endedBeforeMs) break;
    after = last.id;
  }
  return pruned;
}

function forget(
  database: Database<FlowTables>,
  ids: readonly string[],
  endedBeforeMs: number,
): Promise<number> {
  return database.transaction(async (trx) => {
    // One that is being tried again has come back to life.
    const ended = await trx
      .selectFrom('runs')
      .select('id')
      .where('id', 'in', ids)
      .where('status', '!=', 'waiting')
      .where('updatedAtMs', '<', endedBeforeMs)
      .$if(database.dialect === 'mysql', (query) => query.forUpdate())
      .execute();
    if (ended.length === 0) return 0;
    const gone = ended.map(({ id }) => id);
    for (const table of ['runJournal', 'runMessages'] as const)
      await trx.deleteFrom(table).where('runId', 'in', gone).execute();
    await trx.deleteFrom('runs').where('id', 'in', gone).execute();
    return gone.length;
  });
}
