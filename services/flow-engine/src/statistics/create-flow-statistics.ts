import type { Database } from '@switchyard/database';
import { sql } from 'kysely';
import type { FlowCountersTable, FlowTables } from '../database/tables.ts';
import { dayOf } from './add-counts.ts';
import { type Count, WHOLE_FLOW } from './count-runs.ts';

/** Days that are kept one by one; older ones become one line. */
const DAYS_KEPT = 400;
const FOLDED_AT_ONCE = 500;

type Counts = Record<Count, number>;

/** The figures of one node. */
export interface NodeFunnel extends Counts {
  node: string;
  /** Runs that ended here without having finished: failed or cancelled. */
  dropped: number;
}

/** How the runs of a flow fare: `entered` is `waiting` + `finished` + `dropped`, over all time. */
export interface Funnel extends Counts {
  dropped: number;
  nodes: NodeFunnel[];
}

/** What to count of a flow. */
export interface FunnelChoice {
  version?: number | undefined;
  /** Days in UTC; `waiting` is as of now whatever they are. */
  fromMs?: number | undefined;
  toMs?: number | undefined;
}

/** Figures of flows, from counters that are written with the runs. */
export interface FlowStatistics {
  funnel(flowId: string, choice: FunnelChoice): Promise<Funnel>;
  /** Makes one line of days that are long past. @returns how many lines went. */
  fold(nowMs: number): Promise<number>;
}

/** Makes the figures of flows. */
export function createFlowStatistics(database: Database<FlowTables>): FlowStatistics {
  const { db } = database;

  return {
    async funnel(flowId, { version, fromMs, toMs }) {
      const from = fromMs === undefined ? 0 : dayOf(fromMs);
      const to = toMs === undefined ? Number.MAX_SAFE_INTEGER : dayOf(toMs);
      const within = (column: Count) =>
        sql<number>`sum(case when day between ${from} and ${to} then ${sql.ref(column)} else 0 end)`.as(
          column,
        );
      const rows = await db
        .selectFrom('flowCounters')
        .select((eb) => [
          'node',
          within('entered'),
          eb.fn.sum<number>('waiting').as('waiting'),
          within('finished'),
          within('failed'),
          within('cancelled'),
        ])
        .where('flowId', '=', flowId)
        .$if(version !== undefined, (query) => query.where('flowVersion', '=', version!))
        .groupBy('node')
        .execute();
      const lines = rows.map(toFunnel);
      const { node: _, ...flow } = lines.find(({ node }) => node === WHOLE_FLOW) ?? toFunnel({ node: '' });
      return { ...flow, nodes: lines.filter(({ node }) => node !== WHOLE_FLOW) };
    },
    async fold(nowMs) {
      const before = dayOf(nowMs) - DAYS_KEPT;
      let folded = 0;
      for (;;) {
        const old = await db
          .selectFrom('flowCounters')
          .selectAll()
          .where('day', '>', 0)
          .where('day', '<', before)
          .orderBy('day')
          .limit(FOLDED_AT_ONCE)
          .execute();
        if (old.length === 0) return folded;
        for (const row of old) if (await foldRow(database, row)) folded += 1;
        if (old.length < FOLDED_AT_ONCE) return folded;
      }
    },
  };
}

/** Adds a line to its flow's oldest, and deletes it; whichever replica deletes it adds it. */
function foldRow(database: Database<FlowTables>, row: FlowCountersTable): Promise<boolean> {
  const { flowId, flowVersion, node, day, shard, ...counts } = row;
  return database.transaction(async (trx) => {
    const line = (of: number) =>
      [
        ['flowId', flowId],
        ['flowVersion', flowVersion],
        ['node', node],
        ['day', of],
        ['shard', shard],
      ] as const;
    let deletion = trx.deleteFrom('flowCounters');
    for (const [column, value] of line(day)) deletion = deletion.where(column, '=', value);
    const { numDeletedRows } = await deletion.executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) return false;
    let update = trx
      .updateTable('flowCounters')
      .set((eb) =>
        Object.fromEntries(
          (Object.keys(counts) as Count[]).map((name) => [name, eb(name, '+', counts[name])]),
        ),
      );
    for (const [column, value] of line(0)) update = update.where(column, '=', value);
    const { numUpdatedRows } = await update.executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n)
      await trx
        .insertInto('flowCounters')
        .values({ ...row, day: 0 })
        .execute();
    return true;
  });
}

function toFunnel(row: { node: string } & Partial<Record<Count, number | string | null>>): NodeFunnel {
  // Sums come as text from MySQL. A run from before there were counters leaves a node that it was never counted at.
  const of = (count: Count) => Math.max(0, Number(row[count] ?? 0));
  const failed = of('failed');
  const cancelled = of('cancelled');
  return {
    node: row.node,
    entered: of('entered'),
    waiting: of('waiting'),
    finished: of('finished'),
    failed,
    cancelled,
    dropped: failed + cancelled,
  };
}
