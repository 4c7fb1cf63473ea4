import type { JobName, JobPayload, QueueName } from './catalog.ts';
import type { AddOptions, JobMeta } from './job-types.ts';

/** What one job may have otherwise than its queue, in BullMQ's words. */
export interface QueueAddOptions extends Omit<AddOptions, 'delayMs'> {
  /** Earliest start, in ms from now. */
  delay?: number;
  meta?: JobMeta;
}

/** A job in its queue. */
export interface QueuedJob<R> {
  readonly id: string;
  readonly name: string;
  /**
   * Waits for the job's result. For tests and scripts: a service that needs a result gets it as a job of its own.
   *
   * @param timeoutMs default 30 s.
   * @throws JOB_RESULT_MISSING when the job failed for good or did not finish in time.
   */
  waitUntilFinished(timeoutMs?: number): Promise<R>;
}

/** A queue with the payloads of its jobs as types (R2.11). */
export interface TypedQueue<Q extends QueueName, Main extends JobName<Q>, R = unknown> {
  readonly name: Q;
  /** Adds the queue's main job. @throws as `Producer.add`, and QUEUES_NOT_CONNECTED */
  add(payload: JobPayload<Q, Main>, options?: QueueAddOptions): Promise<QueuedJob<R>>;
  /** Adds any job of the queue. @throws as `Producer.add`, and QUEUES_NOT_CONNECTED */
  addJob<J extends JobName<Q>>(
    name: J,
    payload: JobPayload<Q, J>,
    options?: QueueAddOptions,
  ): Promise<QueuedJob<unknown>>;
}

/** Adds a job somewhere; what {@link createTypedQueue} stands on. */
export type AddJob = (
  queue: QueueName,
  name: string,
  payload: unknown,
  options: QueueAddOptions,
) => Promise<QueuedJob<unknown>>;

/** Makes the typed face of one queue. */
export function createTypedQueue<Q extends QueueName, Main extends JobName<Q>, R = unknown>(
  name: Q,
  main: Main,
  addJob: AddJob,
): TypedQueue<Q, Main, R> {
  return {
    name,
    add: async (payload, options = {}) => (await addJob(name, main, payload, options)) as QueuedJob<R>,
    addJob: (job, payload, options = {}) => addJob(name, job, payload, options),
  };
}
