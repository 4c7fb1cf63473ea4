import type { Metrics } from '@switchyard/service-kit';
import type { AppliedInput } from '../conversations/apply-input.ts';
import type { RunStore } from '../runs/create-run-store.ts';

/** Counts what the engine does. */
export interface FlowMetrics {
  countApplied(applied: AppliedInput): void;
  countCancelled(): void;
}

/** Makes the engine's metrics. */
export function createFlowMetrics(metrics: Metrics, runs: Pick<RunStore, 'countWaiting'>): FlowMetrics {
  const runCount = metrics.counter('switchyard_flow_runs_total', 'Runs that began and ended.', ['outcome']);
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
    countApplied({ outcome, missing, isLate, runs: changes }) {
      if (outcome === 'gap') gapCount.add({ outcome: 'waits' });
      else if (outcome !== 'kept') {
        eventCount.add({ outcome });
        if (missing > 0) gapCount.add({ outcome: 'given-up' }, missing);
        if (isLate) gapCount.add({ outcome: 'late' });
      }
      for (const change of changes) runCount.add({ outcome: change });
    },
    countCancelled: () => runCount.add({ outcome: 'cancelled' }),
  };
}
