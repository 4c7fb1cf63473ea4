import type { DialectName, Transaction } from '@switchyard/database';
import { sql } from 'kysely';
import type { FlowTables } from '../database/tables.ts';
import type { CounterChange } from './count-runs.ts';

const DAY_MS = 86_400_000;
/** Lines per node and day, on a database that several processes write: those that commit at once meet on different lines. */
const SHARDS = 16;

let turn = Math.floor(Math.random() * SHARDS);

/** The day of a moment, in UTC, counted from 1970. */
export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

/** Adds to the counters, in one statement. Late in a transaction: others who count the same wait for its end. */
export async function addCounts(
  trx: Transaction<FlowTables>,
  dialect: DialectName,
  changes: readonly CounterChange[],
  nowMs: number,
): Promise<void> {
  if (changes.length === 0) return;
  turn = (turn + 1) % SHARDS;
  const shard = dialect === 'mysql' ? turn : 0;
  const day = dayOf(nowMs);
  // In one order everywhere, so that transactions wait for each other instead of deadlocking.
  const sorted = changes.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const rows = sorted.map(
    ({ flowId, flowVersion, node, entered, waiting, finished, failed, cancelled }) =>
      sql`(${flowId}, ${flowVersion}, ${node}, ${day}, ${shard}, ${entered}, ${waiting}, ${finished}, ${failed}, ${cancelled})`,
  );
  const into = sql`insert into flowCounters
    (flowId, flowVersion, node, day, shard, entered, waiting, finished, failed, cancelled)
    values ${sql.join(rows)}`;
  await (dialect === 'mysql'
    ? sql`${into} on duplicate key update
        entered = entered + values(entered), waiting = waiting + values(waiting),
        finished = finished + values(finished), failed = failed + values(failed),
        cancelled = cancelled + values(cancelled)`
    : sql`${into} on conflict (flowId, flowVersion, node, day, shard) do update set
        entered = entered + excluded.entered, waiting = waiting + excluded.waiting,
        finished = finished + excluded.finished, failed = failed + excluded.failed,
        cancelled = cancelled + excluded.cancelled`
  ).execute(trx);
}

function keyOf({ flowId, flowVersion, node }: CounterChange): string {
  return `${flowId} ${String(flowVersion).padStart(10, '0')} ${node}`;
}
