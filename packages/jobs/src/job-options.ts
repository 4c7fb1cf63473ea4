import type { JobsOptions } from 'bullmq';
import type { JobDefinition } from './define-queue.ts';
import { payloadInvalid } from './errors.ts';
import { checkJobId, safeJobId } from './job-id.ts';
import type { AddOptions } from './job-types.ts';
import type { QueueSettings } from './queue-settings.ts';

/** Highest and lowest priority (R2.1). */
const priorities = { highest: 1, lowest: 10 } as const;

/**
 * BullMQ's options of one job: what its queue fixes, then what the caller wants otherwise.
 *
 * Retention is left to the worker's options: stating it per job would cost memory in each.
 *
 * @throws JOB_ID_INVALID, PAYLOAD_INVALID (an option out of range)
 */
export function jobOptions(
  definition: JobDefinition,
  settings: QueueSettings,
  payload: unknown,
  options: AddOptions,
): JobsOptions {
  const bull: JobsOptions = {
    attempts: options.attempts ?? settings.attempts,
    backoff: { type: 'exponential', delay: settings.backoffMs },
  };
  if (options.attempts !== undefined) checkRange('attempts', options.attempts, 1, 100);
  const jobId = jobIdOf(definition, payload, options);
  if (jobId !== undefined) bull.jobId = jobId;
  const priority = priorityOf(definition, settings, payload, options);
  if (priority !== undefined) bull.priority = priority;
  if (options.delayMs !== undefined && options.delayMs > 0) bull.delay = Math.ceil(options.delayMs);
  if (options.removeOnComplete !== undefined) bull.removeOnComplete = options.removeOnComplete;
  if (options.deduplicationTtlMs !== undefined) {
    if (jobId === undefined)
      throw payloadInvalid('de-duplication needs a job id', { details: { field: 'options.jobId' } });
    bull.deduplication = { id: jobId, ttl: options.deduplicationTtlMs };
  }
  return bull;
}

/** The id a job will have, or undefined where BullMQ makes one. @throws JOB_ID_INVALID */
function jobIdOf(definition: JobDefinition, payload: unknown, options: AddOptions): string | undefined {
  if (options.jobId !== undefined) {
    checkJobId(options.jobId);
    return options.jobId;
  }
  const byRule = definition.jobId?.(payload as never);
  return byRule === undefined ? undefined : safeJobId(byRule);
}

function priorityOf(
  definition: JobDefinition,
  settings: QueueSettings,
  payload: unknown,
  options: AddOptions,
): number | undefined {
  const priority =
    options.priority ??
    (settings.defaultPriority === undefined
      ? undefined
      : (definition.priority?.(payload as never) ?? settings.defaultPriority));
  if (priority !== undefined) checkRange('priority', priority, priorities.highest, priorities.lowest);
  return priority;
}

function checkRange(option: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum)
    throw payloadInvalid(`${option} must be a whole number from ${minimum} to ${maximum}`, {
      details: { field: `options.${option}` },
    });
}
