import { isCodedError } from '@switchyard/errors';
import type { JobToAdd, Producer } from '@switchyard/jobs';
import { queueFull, queueUnavailable } from '../errors.ts';
import { withinDeadline } from './within-deadline.ts';

/** The queue remembers a job's key this long by itself, for when the deduplication Redis is away. */
export const DEDUPLICATION_TTL_MS = 15 * 60_000;

/** Adds under way at a time for one payload; beyond 100, more only queue up in the connection. */
const IN_FLIGHT = 100;
/** When the provider should come back. */
const RETRY_AFTER_MS = 5000;

/**
 * Adds the jobs of a payload, all of them or none of it counts: the ids make it safe to do again.
 *
 * @param timeoutMs for all of them.
 * @returns the indexes of jobs that the contract refuses (their events must be kept elsewhere).
 * @throws CodedError QUEUE_UNAVAILABLE or QUEUE_FULL (503, later).
 */
export async function addEvents(
  producer: Pick<Producer, 'add'>,
  jobs: readonly JobToAdd[],
  timeoutMs: number,
): Promise<number[]> {
  const refused: number[] = [];
  let next = 0;
  let stopped = false;
  const lane = async () => {
    while (next < jobs.length && !stopped) {
      const index = next++;
      try {
        await producer.add(jobs[index]!);
      } catch (error) {
        if (isRefusal(error)) refused.push(index);
        else {
          stopped = true;
          throw error;
        }
      }
    }
  };
  const lanes =
    jobs.length === 1
      ? lane()
      : Promise.all(Array.from({ length: Math.min(IN_FLIGHT, jobs.length) }, lane)).then(() => undefined);
  try {
    await withinDeadline(
      lanes,
      timeoutMs,
      () => new Error(`the queue did not take all jobs in ${timeoutMs} ms`),
    );
  } catch (error) {
    stopped = true;
    throw isOutOfMemory(error)
      ? queueFull('the queue is full; try again', { cause: error, delayMs: RETRY_AFTER_MS })
      : queueUnavailable("the queue can't take the event now; try again", {
          cause: error,
          delayMs: RETRY_AFTER_MS,
        });
  }
  return refused;
}

/** Whether trying again can't help. */
export function isRefusal(error: unknown): boolean {
  return isCodedError(error) && error.outcome === 'never';
}

function isOutOfMemory(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (/\bOOM\b/.test(each.message)) return true;
  }
  return false;
}
