import { AsyncLocalStorage } from 'node:async_hooks';
import type { JobMeta, JobToAdd } from './job-types.ts';

const current = new AsyncLocalStorage<JobMeta>();

/** Does work on behalf of a job: {@link inheritMeta} gives what follows from it the same ids. */
export function withMeta<T>(meta: JobMeta, work: () => T): T {
  return current.run(meta, work);
}

/** Does work on behalf of nobody in particular: for what one job starts and others' work joins, such as a batch. */
export function withoutMeta<T>(work: () => T): T {
  return current.exit(work);
}

/** @returns the job with the correlation and trace ids of the job that is being processed, where it has none of its own. */
export function inheritMeta(job: JobToAdd): JobToAdd {
  const { correlationId, traceparent } = current.getStore() ?? {};
  if (correlationId === undefined && traceparent === undefined) return job;
  const meta: JobMeta = {
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...job.meta,
  };
  return { ...job, meta };
}
