import type { Database, Leases } from '@switchyard/database';
import type { JobToAdd, Producer } from '@switchyard/jobs';
import type { FlowTables } from '../database/tables.ts';

/** Timers queued in one go: few, because what answers people is added over the same connection. */
const BATCH_SIZE = 50;
/** Timers that lie in the queue at most, of all replicas together: the rest wait in SQL, where they cost nothing. */
const QUEUED_MOST = 1000;
/** A timer whose job was lost (an emptied Redis) is queued again after so long. */
const AGAIN_AFTER_MS = 120_000;
const LEASE_MS = 10_000;
/** Behind everything without a priority: events, starts, results of calls. */
const TIMER_PRIORITY = 5;

/** What {@link queueDueTimers} needs. */
export interface DueTimersParts {
  database: Database<FlowTables>;
  producer: Pick<Producer, 'addMany'>;
  /** How many timers lie in the queue. */
  queued: () => Promise<number>;
  leases: Leases;
  owner: string;
}

/**
 * Queues the timers that are due, so that all replicas share the work that follows. One replica queues at a time, no more than the
 * engine gets through within a second or so, and behind live traffic: a hundred thousand that are due at once starve nobody.
 *
 * The job is added first and the row moved on after it. Dies in between: the same job is added again, which is harmless.
 *
 * @returns how many were queued.
 */
export async function queueDueTimers(parts: DueTimersParts, signal: AbortSignal): Promise<number> {
  const { database, producer, leases, owner } = parts;
  const lease = await leases.acquire('due-timers', { owner, ttlMs: LEASE_MS });
  if (!lease) return 0;
  let room = QUEUED_MOST - (await parts.queued());
  let queued = 0;
  try {
    while (room > 0 && !signal.aborted) {
      const limit = Math.min(BATCH_SIZE, room);
      const due = await database.db
        .selectFrom('runs')
        .select(['id', 'merchantId', 'contactId', 'waitId', 'waitKind', 'dueAtMs'])
        .where('dueAtMs', '<=', Date.now())
        .orderBy('dueAtMs')
        .limit(limit)
        .execute();
      const last = due.at(-1)?.dueAtMs;
      if (last === undefined || last === null) break;
      await producer.addMany(due.flatMap(toJob));
      await database.transaction(async (trx) => {
        await leases.check(trx, lease);
        await trx
          .updateTable('runs')
          .set({ dueAtMs: Date.now() + AGAIN_AFTER_MS })
          .where(
            'id',
            'in',
            due.map(({ id }) => id),
          )
          // A run that has moved on since is due at another time.
          .where('dueAtMs', '<=', last)
          .execute();
      });
      queued += due.length;
      room -= due.length;
      if (due.length < limit) break;
      if (!(await leases.renew(lease, LEASE_MS))) break;
    }
  } finally {
    await leases.release(lease);
  }
  return queued;
}

function toJob(run: {
  id: string;
  merchantId: string;
  contactId: string;
  waitId: string | null;
  waitKind: string | null;
}): JobToAdd[] {
  const { id: runId, merchantId, contactId, waitId, waitKind } = run;
  if (waitId === null) return [];
  const reason = waitKind === 'time' || waitKind === 'gather' ? 'timer' : 'timeout';
  // The person has just written, and what they wrote is gathered: the answer follows now.
  const isUrgent = waitKind === 'gather';
  return [
    {
      queue: 'flows',
      name: 'resume-run',
      payload: { merchantId, runId, contactId, waitId, reason, ...(isUrgent ? { isUrgent } : {}) },
      ...(isUrgent ? {} : { options: { priority: TIMER_PRIORITY } }),
      meta: { merchantId },
    },
  ];
}
