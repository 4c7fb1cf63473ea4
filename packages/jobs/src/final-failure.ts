import type { Job } from 'bullmq';
import type { QueueName } from './catalog.ts';
import { metaOf } from './envelope.ts';
import type { FailedJobEntry } from './job-types.ts';

/** What the failed-jobs table keeps of a job that failed for good. */
export function failedJobEntry(
  queue: QueueName,
  job: Job,
  failure: { code: string; reason: string; attemptsMade: number },
): FailedJobEntry {
  const { merchantId, correlationId } = metaOf(job.data);
  const owner = merchantId ?? merchantOfPayload(job.data);
  return {
    queue,
    name: job.name,
    jobId: job.id as string,
    data: JSON.stringify(job.data),
    reason: failure.reason,
    code: failure.code,
    attemptsMade: failure.attemptsMade,
    failedAtMs: Date.now(),
    ...(owner === undefined ? {} : { merchantId: owner }),
    ...(correlationId === undefined ? {} : { correlationId }),
  };
}

/** Most payloads name their merchant; a failure should be found under it even where the producer gave no meta. */
function merchantOfPayload(data: unknown): string | undefined {
  const payload = (data as { payload?: { merchantId?: unknown } } | null)?.payload;
  const merchantId = typeof payload === 'object' && payload !== null ? payload.merchantId : undefined;
  return typeof merchantId === 'string' ? merchantId : undefined;
}
