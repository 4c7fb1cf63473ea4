import { type Job, Worker } from 'bullmq';

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
