import { type Database, insertIgnore } from '@switchyard/database';
import { NOT_BEGUN, newReplay } from '../archive/new-replay.ts';
import type { ArchiveReplayRow, IngressTables } from '../database/tables.ts';

/** Replicas that lived through it store what they hold, and ask too, within about two seconds: they are to find it not begun. */
const BEGIN_AFTER_MS = 3000;
const ROW = 'queue';

/** Which run of the queue's Redis the archive belongs to, and the replays that follow from its change. */
export interface Recoveries {
  /** The run that is recorded; `run` itself where none was. */
  known(run: string): Promise<string>;
  /**
   * Records another run, and with it that what came in this time is taken in again. Both or none; by how many replicas it is asked for
   * does not matter: there is one such replay at a time, which is widened, and begun anew where it had begun.
   */
  recover(range: { run: string; fromMs: number; toMs: number }): Promise<ArchiveReplayRow>;
}

/** Creates the recoveries. */
export function createRecoveries({ database }: { database: Database<IngressTables> }): Recoveries {
  const { db, dialect } = database;
  return {
    async known(run) {
      const row = { id: ROW, run, seenAtMs: Date.now() };
      await insertIgnore(db, dialect, 'queue_runs', [row], ['id']);
      const found = db.selectFrom('queue_runs').select('run').where('id', '=', ROW);
      return (await found.executeTakeFirstOrThrow()).run;
    },
    recover: ({ run, fromMs, toMs }) =>
      database.transaction(async (trx) => {
        const nowMs = Date.now();
        // First of all, since its lock lets one replica in at a time.
        await trx.updateTable('queue_runs').set({ run, seenAtMs: nowMs }).where('id', '=', ROW).execute();
        // What replays have added since then may be forgotten as well.
        await trx
          .updateTable('archive_replays')
          .set(({ eb }) => ({ ...NOT_BEGUN, round: eb('round', '+', 1) }))
          .where('startedAtMs', 'is not', null)
          .where((eb) => eb.or([eb('finishedAtMs', 'is', null), eb('finishedAtMs', '>=', fromMs)]))
          .execute();
        const pending = await trx
          .selectFrom('archive_replays')
          .selectAll()
          .where('reason', '=', 'queue-restarted')
          .where('finishedAtMs', 'is', null)
          .orderBy('id')
          .limit(1)
          .executeTakeFirst();
        const notBeforeMs = nowMs + BEGIN_AFTER_MS;
        if (pending) {
          const change = {
            fromMs: Math.min(pending.fromMs, fromMs),
            toMs: Math.max(pending.toMs, toMs),
            notBeforeMs,
            round: pending.round + 1,
          };
          await trx.updateTable('archive_replays').set(change).where('id', '=', pending.id).execute();
          return { ...pending, ...change };
        }
        const row = newReplay({
          reason: 'queue-restarted',
          merchantId: null,
          kind: null,
          fromMs,
          toMs,
          notBeforeMs,
          createdAtMs: nowMs,
        });
        await trx.insertInto('archive_replays').values(row).execute();
        return row;
      }),
  };
}
