import { ConfigError, type ConfigOf, type Field, field } from '@switchyard/config';
import { catalog, type QueueName, queueNames } from './catalog.ts';

/** What the environment changes of one queue. */
export interface QueueOverride {
  concurrency?: number;
  attempts?: number;
  backoffMs?: number;
  rate?: { max: number; durationMs: number };
  /** No variable sets it: for whoever builds a worker by hand. */
  timeoutMs?: number;
}

/** What the environment changes of the catalog (R2.12). */
export interface QueueOverrides {
  /** For queues for which the catalog fixes none. */
  defaults: { concurrency: number; attempts: number; backoffMs: number };
  queues: { [Q in QueueName]?: QueueOverride };
}

type Setting = 'CONCURRENCY' | 'ATTEMPTS' | 'BACKOFF_DELAY' | 'RATE_MAX' | 'RATE_DURATION';

/** `QUEUE_MESSAGES_CONCURRENCY` and so on. */
type QueueVariable = `QUEUE_${Uppercase<QueueName>}_${Setting}`;

const defaults = {
  QUEUE_CONCURRENCY: field.integer('QUEUE_CONCURRENCY', {
    description: 'Jobs one worker handles at a time, in queues for which the catalog sets nothing else',
    default: 3,
    minimum: 1,
    maximum: 10_000,
  }),
  QUEUE_ATTEMPTS: field.integer('QUEUE_ATTEMPTS', {
    description: 'Attempts per job, the first included, in queues for which the catalog sets nothing else',
    default: 3,
    minimum: 1,
    maximum: 100,
  }),
  QUEUE_BACKOFF_DELAY: field.integer('QUEUE_BACKOFF_DELAY', {
    description: 'First pause before another attempt in milliseconds; doubles with every further one',
    default: 5000,
    minimum: 1,
    maximum: 86_400_000,
  }),
};

const settings: Record<Setting, { description: (queue: string) => string; maximum: number }> = {
  CONCURRENCY: { description: (queue) => `Jobs of ${queue} one worker handles at a time`, maximum: 10_000 },
  ATTEMPTS: { description: (queue) => `Attempts per job of ${queue}, the first included`, maximum: 100 },
  BACKOFF_DELAY: {
    description: (queue) => `First pause before another attempt of ${queue} in milliseconds`,
    maximum: 86_400_000,
  },
  RATE_MAX: { description: (queue) => `Jobs of ${queue} per RATE_DURATION, over all workers`, maximum: 1e9 },
  RATE_DURATION: {
    description: (queue) => `Time for RATE_MAX jobs of ${queue} in milliseconds`,
    maximum: 86_400_000,
  },
};

function perQueueFields(): Record<QueueVariable, Field<number | undefined>> {
  const fields: Record<string, Field<number | undefined>> = {};
  for (const queue of queueNames)
    for (const [setting, { description, maximum }] of Object.entries(settings)) {
      const variable = `QUEUE_${queue.toUpperCase()}_${setting}`;
      fields[variable] = field.integer(variable, {
        description: description(queue),
        optional: true,
        minimum: 1,
        maximum,
      });
    }
  return fields;
}

/** The variables of R2.12. Properties have the variables' own names, as there are five per queue. */
export const queueFields = { ...defaults, ...perQueueFields() };

/**
 * Turns the settings of R2.12 into what producers and workers take.
 *
 * @throws ConfigError when only one half of a rate is set and the catalog does not have the other.
 */
export function resolveQueueOverrides(config: ConfigOf<typeof queueFields>): QueueOverrides {
  const queues: QueueOverrides['queues'] = {};
  for (const queue of queueNames) {
    const read = (setting: Setting) =>
      config[`QUEUE_${queue.toUpperCase() as Uppercase<QueueName>}_${setting}`];
    const concurrency = read('CONCURRENCY');
    const attempts = read('ATTEMPTS');
    const backoffMs = read('BACKOFF_DELAY');
    const rate = resolveRate(queue, read('RATE_MAX'), read('RATE_DURATION'));
    queues[queue] = {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(attempts === undefined ? {} : { attempts }),
      ...(backoffMs === undefined ? {} : { backoffMs }),
      ...(rate === undefined ? {} : { rate }),
    };
  }
  return {
    defaults: {
      concurrency: config.QUEUE_CONCURRENCY,
      attempts: config.QUEUE_ATTEMPTS,
      backoffMs: config.QUEUE_BACKOFF_DELAY,
    },
    queues,
  };
}

function resolveRate(queue: QueueName, max: number | undefined, durationMs: number | undefined) {
  if (max === undefined && durationMs === undefined) return undefined;
  const fixed: { max: number; durationMs: number } | undefined =
    'rate' in catalog[queue] ? catalog[queue].rate : undefined;
  const rate = { max: max ?? fixed?.max, durationMs: durationMs ?? fixed?.durationMs };
  const prefix = `QUEUE_${queue.toUpperCase()}_RATE`;
  if (rate.max === undefined)
    throw new ConfigError(`${prefix}_MAX`, `must be set where ${prefix}_DURATION is`);
  if (rate.durationMs === undefined)
    throw new ConfigError(`${prefix}_DURATION`, `must be set where ${prefix}_MAX is`);
  return { max: rate.max, durationMs: rate.durationMs };
}
