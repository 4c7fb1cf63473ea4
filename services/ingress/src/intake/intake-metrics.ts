import { createLightHistogram, type Metrics } from '@switchyard/service-kit';

/** How an event ended at the front door. */
export type EventOutcome = 'accepted' | 'duplicate' | 'rejected' | 'unrouted';

const stages = ['verify', 'split', 'resolve', 'find', 'add', 'archive', 'remember', 'keep'] as const;
/** The parts of handling one webhook. */
export type IntakeStage = (typeof stages)[number];

const stageBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];
const lagBounds = [0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400, 604_800];

/** What intake of one source kind counts and times. Labels are ours, never the provider's. */
export interface IntakeMetrics {
  count(outcome: EventOutcome, reason?: string, events?: number): void;
  stage(stage: IntakeStage, ms: number): void;
  /** From the provider's own time (one-second grain) to the queue. */
  lag(ms: number): void;
}

const sources = ['whatsapp', 'shopify', 'custom', 'alertmanager'] as const;
/** What events come from; a label. */
export type IntakeSource = (typeof sources)[number];

/** Registers the metrics of intake. @returns those of each kind of source. */
export function createIntakeMetrics(metrics: Metrics): Record<IntakeSource, IntakeMetrics> {
  const events = metrics.counter(
    'ingress_events_total',
    'Webhook events by how they ended at the front door.',
    ['source', 'outcome', 'reason'],
  );
  const byStage = createLightHistogram(metrics.registry, {
    name: 'ingress_stage_seconds',
    help: 'Time of each stage of handling a webhook.',
    bounds: stageBounds,
  });
  const lags = createLightHistogram(metrics.registry, {
    name: 'ingress_provider_lag_seconds',
    help: "Time from the provider's timestamp of an event to its job.",
    bounds: lagBounds,
  });
  const entries = sources.map((source): [IntakeSource, IntakeMetrics] => {
    const stageLines = Object.fromEntries(stages.map((stage) => [stage, byStage.line({ source, stage })]));
    const lag = lags.line({ source });
    return [
      source,
      {
        count: (outcome, reason = '', count = 1) => {
          if (count > 0) events.add({ source, outcome, reason }, count);
        },
        stage: (stage, ms) => stageLines[stage]!.observe(ms / 1000),
        lag: (ms) => lag.observe(Math.max(0, ms) / 1000),
      },
    ];
  });
  return Object.fromEntries(entries) as Record<IntakeSource, IntakeMetrics>;
}
