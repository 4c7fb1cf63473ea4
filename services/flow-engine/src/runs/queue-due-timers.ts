import type { Database, Leases } from '@switchyard/database';
import type { Outbox } from '@switchyard/outbox';
import type { FlowTables } from '../database/tables.ts';

/** Timers queued in one transaction, and in one go. */
const BATCH_SIZE = 200;
const BATCHES_MOST = 10;
/** A timer whose job was lost (an emptied Redis) is queued again after so long. */
const AGAIN_AFTER_MS = 120_000;
const LEASE_MS = 10_000;

/**
 * Queues the timers that are due, so that all replicas share the work that follows. One replica queues at a time, and no more than
 * some thousand in one go, so that live traffic is not starved.
 *
 * @returns how many were queued.
 */
export async function queueDueTimers(
  deps: { database: Database<FlowTables>; outbox: Outbox<FlowTables>; leases: Leases; owner: string },
  signal: AbortSignal,
): Promise<number> {
  const { database, outbox, leases, owner } = deps;
  const lease = await leases.acquire('due-timers', { owner, ttlMs: LEASE_MS });
  if (!lease) return 0;
  let queued = 0;
  try {
    for (let batch = 0; batch < BATCHES_MOST && !signal.aborted; batch += 1) {
      const due = await database.db
        .selectFrom('runs')
        .select(['id', 'merchantId', 'contactId', 'waitId', 'waitKind'])
        .where('dueAtMs', '<=', Date.now())
        .orderBy('dueAtMs')
        .limit(BATCH_SIZE)
        .execute();
      if (due.length === 0) break;
      await outbox.transaction(async (trx, enqueue) => {
        await leases.check(trx, lease);
        const now = Date.now();
        await trx
          .updateTable('runs')
          .set({ dueAtMs: now + AGAIN_AFTER_MS })
          .where(
            'id',
            'in',
            due.map(({ id }) => id),
          )
          // A run that has moved on since is due at another time.
          .where('dueAtMs', '<=', now)
          .execute();
        for (const { id, merchantId, contactId, waitId, waitKind } of due) {
          if (waitId === null) continue;
          enqueue({
            queue: 'flows',
            name: 'resume-run',
            payload: {
              merchantId,
              runId: id,
              contactId,
              waitId,
              reason: waitKind === 'answer' ? 'timeout' : 'timer',
            },
            meta: { merchantId },
          });
        }
      });
      queued += due.length;
      if (due.length < BATCH_SIZE) break;
      if (!(await leases.renew(lease, LEASE_MS))) break;
    }
  } finally {
    await leases.release(lease);
  }
  return queued;
}
