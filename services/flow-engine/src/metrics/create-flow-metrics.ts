import type { Metrics } from '@switchyard/service-kit';
import type { AppliedInput } from '../conversations/applied-input.ts';
import type { RunStore } from '../runs/create-run-store.ts';

/** Lines of one process at most: thousands of merchants must not make Prometheus keep one for each of their flows. */
const FLOWS_MOST = 200;
const NODES_MOST = 1000;
const OTHER = 'other';

/** A name, while there is room for it. */
function nameOf(known: Set<string>, name: string, most: number): string {
  if (known.has(name)) return name;
  if (known.size >= most) return OTHER;
  known.add(name);
  return name;
}

/** Counts what the engine does. */
export interface FlowMetrics {
  countApplied(applied: AppliedInput): void;
  countCancelled(): void;
}

/** Makes the engine's metrics. */
export function createFlowMetrics(metrics: Metrics, runs: Pick<RunStore, 'countWaiting'>): FlowMetrics {
  const runCount = metrics.counter('switchyard_flow_runs_total', 'Runs that began and ended.', ['outcome']);
  const flowCount = metrics.counter(
    'switchyard_flow_runs_by_flow_total',
    'Runs that began and ended, by flow; the first flows that a process sees have lines of their own, all others are `other`.',
    ['flow', 'outcome'],
  );
  const nodeCount = metrics.counter(
    'switchyard_flow_node_failures_total',
    'Nodes that failed, whether their error branch was taken or the run stopped.',
    ['flow', 'node'],
  );
  const flows = new Set<string>();
  const nodes = new Set<string>();
  const eventCount = metrics.counter(
    'switchyard_flow_events_total',
    'Inputs of conversations: events, starts and timers.',
    ['outcome'],
  );
  const gapCount = metrics.counter(
    'switchyard_flow_sequence_gaps_total',
    'Times that a conversation had to wait for an earlier event, went on without it, or met it late.',
    ['outcome'],
  );
  metrics.gauge('switchyard_flow_runs_waiting', 'Runs that wait for an answer or a time.', [], async (set) =>
    set({}, await runs.countWaiting()),
  );
  return {
    countApplied({ outcome, missing, isLate, runs: changes, byFlow }) {
      if (outcome === 'gap') gapCount.add({ outcome: 'waits' });
      else if (outcome !== 'kept') {
        eventCount.add({ outcome });
        if (missing > 0) gapCount.add({ outcome: 'given-up' }, missing);
        if (isLate) gapCount.add({ outcome: 'late' });
      }
      for (const change of changes) runCount.add({ outcome: change });
      for (const each of byFlow ?? []) {
        const flow = nameOf(flows, each.flowId, FLOWS_MOST);
        for (const change of each.outcomes) flowCount.add({ flow, outcome: change });
        for (const name of each.failedNodes) {
          const known = flow === OTHER ? OTHER : nameOf(nodes, `${flow} ${name}`, NODES_MOST);
          nodeCount.add({ flow, node: known === OTHER ? OTHER : name });
        }
      }
    },
    countCancelled: () => runCount.add({ outcome: 'cancelled' }),
  };
}
