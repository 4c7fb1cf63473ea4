import type { RunState, Step } from '@switchyard/flows';
import type { FlowCountersTable, RunJournalTable, RunsTable } from '../database/tables.ts';

/** What is counted. */
export type Count = 'entered' | 'waiting' | 'finished' | 'failed' | 'cancelled';

/** What a transaction adds to the counters of one flow, version and node. */
export type CounterChange = Pick<FlowCountersTable, 'flowId' | 'flowVersion' | 'node' | Count>;

/** The flow's own line: its runs, whatever node they are at. */
export const WHOLE_FLOW = '';

/** A run's way through a transaction; absent: there was none, or there is none any more. */
export interface RunChange {
  before?: RunsTable | undefined;
  after?: RunsTable | undefined;
}

const zero = { entered: 0, waiting: 0, finished: 0, failed: 0, cancelled: 0 };

/**
 * What runs have come to in a transaction, as changes of counters. For every flow `entered` is what waits, has finished, has failed
 * and was cancelled, at every moment: whatever becomes of a run is counted where it is written.
 *
 * @param journal the lines that were added to their journals.
 */
export function countRuns(
  changes: readonly RunChange[],
  journal: readonly Pick<RunJournalTable, 'runId' | 'steps'>[] = [],
): CounterChange[] {
  const counted = new Map<string, CounterChange>();
  const runs = new Map<string, RunsTable>();
  const add = ({ flowId, flowVersion }: RunsTable, node: string, count: Count, by: number) => {
    const key = `${flowId} ${flowVersion} ${node}`;
    const entry = counted.get(key) ?? { flowId, flowVersion, node, ...zero };
    entry[count] += by;
    counted.set(key, entry);
  };
  const addBoth = (run: RunsTable, count: Count, by: number) => {
    add(run, WHOLE_FLOW, count, by);
    const node = nodeOf(run);
    if (node !== undefined) add(run, node, count, by);
  };

  for (const { before, after } of changes) {
    if (after) runs.set(after.id, after);
    if (before) addBoth(before, before.status, -1);
    else if (after) add(after, WHOLE_FLOW, 'entered', 1);
    if (after) addBoth(after, after.status, 1);
    // A run that is erased was, as far as figures go, ended from outside.
    else if (before) addBoth(before, before.status === 'waiting' ? 'cancelled' : before.status, 1);
  }
  for (const { runId, steps } of journal) {
    const run = runs.get(runId);
    if (!run) continue;
    for (const { node, flow } of JSON.parse(steps) as Step[])
      if (flow === undefined) add(run, node, 'entered', 1);
  }
  return [...counted.values()].filter(
    ({ entered, waiting, finished, failed, cancelled }) =>
      entered !== 0 || waiting !== 0 || finished !== 0 || failed !== 0 || cancelled !== 0,
  );
}

/** The node of the run's own flow that it is at, or at which it ended. One that finished is at none: it has been through. */
function nodeOf({ status, state }: RunsTable): string | undefined {
  if (status === 'finished') return undefined;
  const { callers, wait, failure } = readState(state);
  const [outermost] = callers ?? [];
  return outermost?.node ?? (status === 'failed' ? (failure?.node ?? wait?.node) : wait?.node);
}

/** A broken row still counts for its flow: it is being taken out of the way, and that must not fail. */
function readState(state: string): Partial<RunState> {
  try {
    return JSON.parse(state) as RunState;
  } catch {
    return {};
  }
}
