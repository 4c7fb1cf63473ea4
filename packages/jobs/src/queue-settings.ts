import type { QueueName } from './catalog.ts';
import { definitionOf } from './payload-check.ts';
import type { QueueOverrides } from './queue-overrides.ts';

/** The defaults of R2.12, for those who read no environment. */
export const defaultOverrides: QueueOverrides = {
  defaults: { concurrency: 3, attempts: 3, backoffMs: 5000 },
  queues: {},
};

/** Everything a producer or worker must know of one queue: the catalog with the environment laid over it. */
export interface QueueSettings {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly rate: { readonly max: number; readonly durationMs: number } | undefined;
  /** Priority of a job that states none; undefined where the queue has no priorities. */
  readonly defaultPriority: number | undefined;
  readonly retention: { readonly completed: number; readonly failed: number | 'all' };
  /** Crashes of workers that a job survives. */
  readonly stalledMost: number;
}

/** Crashes a job survives before it counts as their cause, where its queue says nothing else. */
const usualStalledMost = 3;

/** Least important of the priorities 1 to 10: what a prioritized queue gives without a default of its own. */
const lowestPriority = 10;

/**
 * Lays the environment over the catalog. The defaults of the environment only fill what the catalog leaves open: they never give
 * `imports` a second attempt.
 */
export function settingsOf(queue: QueueName, overrides: QueueOverrides = defaultOverrides): QueueSettings {
  const definition = definitionOf(queue);
  const own = overrides.queues[queue] ?? {};
  return {
    attempts: own.attempts ?? definition.attempts ?? overrides.defaults.attempts,
    backoffMs: own.backoffMs ?? definition.backoffMs ?? overrides.defaults.backoffMs,
    concurrency: own.concurrency ?? definition.concurrency ?? overrides.defaults.concurrency,
    timeoutMs: own.timeoutMs ?? definition.timeoutMs,
    rate: own.rate ?? definition.rate,
    defaultPriority: definition.prioritized ? (definition.defaultPriority ?? lowestPriority) : undefined,
    retention: definition.retention,
    stalledMost: definition.stalledMost ?? usualStalledMost,
  };
}
