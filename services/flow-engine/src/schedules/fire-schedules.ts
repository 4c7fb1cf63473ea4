import type { Database, Leases } from '@switchyard/database';
import type { ScheduleTrigger } from '@switchyard/flows';
import type { JobToAdd } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import type { Logger } from 'pino';
import type { FlowTables, SchedulesTable } from '../database/tables.ts';
import { nextFiring } from './sync-schedules.ts';

const BATCH_SIZE = 100;
const LEASE_MS = 10_000;
/** A firing that was missed because nothing ran is made up for within so long, once; later, nobody expects it any more. */
const CATCH_UP_MS = 3_600_000;

/** What {@link fireSchedules} needs. */
export interface FireSchedulesParts {
  database: Database<FlowTables>;
  outbox: Outbox<FlowTables>;
  leases: Leases;
  owner: string;
  logger: Logger;
  now?: () => number;
}

/**
 * Fires the schedules whose time has come, each time once on all replicas: the next time and the request for the runs are one
 * transaction, and the request's id is of schedule and time.
 *
 * Dies before the commit: whoever is left fires. After it: the outbox asks.
 *
 * @returns how many were fired.
 */
export async function fireSchedules(parts: FireSchedulesParts): Promise<number> {
  const { database, outbox, leases, owner, logger, now = Date.now } = parts;
  const nowMs = now();
  const due = await database.db
    .selectFrom('schedules')
    .selectAll()
    .where('nextAtMs', '<=', nowMs)
    .orderBy('nextAtMs')
    .limit(BATCH_SIZE)
    .execute();
  if (due.length === 0) return 0;
  const lease = await leases.acquire('schedules', { owner, ttlMs: LEASE_MS });
  if (!lease) return 0;
  try {
    return await outbox.transaction(async (trx, enqueue) => {
      await leases.check(trx, lease);
      let fired = 0;
      for (const row of due) {
        const trigger = JSON.parse(row.settings) as ScheduleTrigger;
        const nextAtMs = nextFiring(trigger, nowMs);
        const mine =
          nextAtMs === undefined
            ? await trx
                .deleteFrom('schedules')
                .where('id', '=', row.id)
                .where('nextAtMs', '=', row.nextAtMs)
                .executeTakeFirst()
                .then(({ numDeletedRows }) => numDeletedRows)
            : await trx
                .updateTable('schedules')
                .set({ nextAtMs })
                .where('id', '=', row.id)
                .where('nextAtMs', '=', row.nextAtMs)
                .executeTakeFirst()
                .then(({ numUpdatedRows }) => numUpdatedRows);
        // Another replica fired it, or a newer version has other times.
        if (mine === 0n) continue;
        if (nowMs - row.nextAtMs > CATCH_UP_MS) {
          logger.warn(
            { flowId: row.flowId, missedAtMs: row.nextAtMs },
            'a schedule was missed and is left out',
          );
          continue;
        }
        enqueue(requestOf(row, trigger));
        fired += 1;
      }
      return fired;
    });
  } finally {
    await leases.release(lease);
  }
}

function requestOf({ id, merchantId, flowId, nextAtMs }: SchedulesTable, trigger: ScheduleTrigger): JobToAdd {
  return {
    queue: 'contacts',
    name: 'request-run',
    payload: {
      merchantId,
      startId: `${id}_${nextAtMs}`,
      flowId,
      ...trigger.audience,
      input: { ...trigger.input, scheduledAtMs: nextAtMs },
    },
    meta: { merchantId },
  };
}
