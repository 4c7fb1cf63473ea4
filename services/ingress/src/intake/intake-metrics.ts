import type { Metrics } from '@switchyard/service-kit';
import { Histogram } from 'prom-client';

/** How an event ended at the front door. */
export type EventOutcome = 'accepted' | 'duplicate' | 'rejected' | 'unrouted';
/** The parts of handling one webhook. */
export type IntakeStage = 'verify' | 'split' | 'resolve' | 'find' | 'add' | 'remember' | 'keep';

/** What intake counts and times. Labels are ours, never the provider's. */
export interface IntakeMetrics {
  count(source: string, outcome: EventOutcome, reason?: string, events?: number): void;
  stage(source: string, stage: IntakeStage, ms: number): void;
  /** From the provider's own time (one-second grain) to the queue. */
  lag(source: string, ms: number): void;
}

/** Registers the metrics of intake. */
export function createIntakeMetrics(metrics: Metrics): IntakeMetrics {
  const events = metrics.counter(
    'ingress_events_total',
    'Webhook events by how they ended at the front door.',
    ['source', 'outcome', 'reason'],
  );
  const registers = [metrics.registry];
  const stages = new Histogram({
    name: 'ingress_stage_seconds',
    help: 'Time of each stage of handling a webhook.',
    labelNames: ['source', 'stage'],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
    registers,
  });
  const lags = new Histogram({
    name: 'ingress_provider_lag_seconds',
    help: "Time from the provider's timestamp of an event to its job.",
    labelNames: ['source'],
    buckets: [0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400, 604_800],
    registers,
  });
  return {
    count: (source, outcome, reason = '', count = 1) => {
      if (count > 0) events.add({ source, outcome, reason }, count);
    },
    stage: (source, stage, ms) => stages.observe({ source, stage }, ms / 1000),
    lag: (source, ms) => lags.observe({ source }, Math.max(0, ms) / 1000),
  };
}
