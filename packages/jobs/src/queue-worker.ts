import { type Job, Worker, type WorkerOptions } from 'bullmq';
import type { RedisClient } from './job-types.ts';
import type { QueueSettings } from './queue-settings.ts';

/** A dead worker's jobs go on after at most lock and check: 15 s, where BullMQ's defaults take up to 85 s. */
const lockMs = 10_000;
const stalledCheckMs = 5000;

/** One day of the queue's completed and failed jobs per minute, for the metrics API. */
const metricsMinutes = 1440;

/**
 * BullMQ's worker, with two of its edges rounded off so that every job reaches our own handling:
 * - data that is no JSON would throw while the job is fetched, and the job would stall for ever;
 * - a job that stalled too often would be moved to the failed set without a word to us.
 */
export class QueueWorker extends Worker {
  readonly #stalledTooOften = new WeakSet<Job>();

  /** Whether BullMQ gave this job up because it stalled too often. */
  isStalledTooOften(job: Job): boolean {
    return this.#stalledTooOften.has(job);
  }

  protected override createJob(data: Parameters<Worker['createJob']>[0], jobId: string): Job {
    let job: Job;
    try {
      job = super.createJob(data, jobId);
    } catch {
      job = super.createJob({ ...data, data: JSON.stringify({ unreadable: String(data.data) }) }, jobId);
    }
    if (job.deferredFailure) {
      this.#stalledTooOften.add(job);
      // BullMQ fails such a job before it would reach a processor; without the mark it comes to ours, which does it in order.
      job.deferredFailure = '';
    }
    return job;
  }
}

/** BullMQ's options of a worker that is started by hand. */
export function bullWorkerOptions(
  settings: QueueSettings,
  connection: RedisClient,
  prefix: string,
): WorkerOptions {
  const { concurrency, rate, retention } = settings;
  return {
    connection,
    prefix,
    autorun: false,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: stalledCheckMs,
    maxStalledCount: settings.stalledMost,
    // Counts alone: BullMQ's trimming by age costs a fifth of the throughput.
    removeOnComplete: { count: retention.completed },
    removeOnFail: { count: retention.failed === 'all' ? -1 : retention.failed },
    metrics: { maxDataPoints: metricsMinutes },
    ...(rate === undefined ? {} : { limiter: { max: rate.max, duration: rate.durationMs } }),
  };
}
