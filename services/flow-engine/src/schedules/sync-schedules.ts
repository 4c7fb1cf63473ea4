import type { Transaction } from '@switchyard/database';
import { type FlowDefinition, nextCronTime, type ScheduleTrigger } from '@switchyard/flows';
import type { FlowTables } from '../database/tables.ts';

/** When a schedule fires next; undefined: never again. */
export function nextFiring({ cron, timeZone }: ScheduleTrigger, afterMs: number): number | undefined {
  return nextCronTime(cron, timeZone ?? 'UTC', afterMs);
}

/**
 * Makes the schedules of a flow those of its published definition, in the transaction that publishes it. The times that have passed
 * under an older version don't come again.
 *
 * @param definition undefined: the flow is published no longer.
 */
export async function syncSchedules(
  trx: Transaction<FlowTables>,
  flow: { merchantId: string; flowId: string },
  definition: FlowDefinition | undefined,
  nowMs: number,
): Promise<void> {
  await trx.deleteFrom('schedules').where('flowId', '=', flow.flowId).execute();
  if (!definition) return;
  const rows = definition.triggers.flatMap((trigger, index) => {
    if (trigger.kind !== 'schedule') return [];
    const withZone = { ...trigger, timeZone: trigger.timeZone ?? definition.timeZone ?? 'UTC' };
    const nextAtMs = nextFiring(withZone, nowMs);
    if (nextAtMs === undefined) return [];
    return { ...flow, id: `${flow.flowId}_s${index}`, settings: JSON.stringify(withZone), nextAtMs };
  });
  if (rows.length > 0) await trx.insertInto('schedules').values(rows).execute();
}
