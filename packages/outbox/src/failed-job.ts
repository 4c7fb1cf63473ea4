import { createHash } from 'node:crypto';
import { type FailedJobEntry, type JobToAdd, toJobId } from '@switchyard/jobs';
import { failedJobUnreadable } from './errors.ts';
import type { FailedJobsTable } from './tables.ts';

/** Lengths of the columns, in characters. */
const longest = { reason: 2000, name: 128, code: 64, id: 191 } as const;

/** A failed job without its data, for lists. */
export interface FailedJobSummary {
  id: string;
  queue: string;
  name: string;
  jobId: string;
  merchantId: string | undefined;
  correlationId: string | undefined;
  code: string;
  reason: string;
  attemptsMade: number;
  failedAtMs: number;
  retriedAtMs: number | undefined;
}

/** A failed job, whole. */
export interface FailedJob extends FailedJobSummary {
  /** As it was in Redis, as JSON. */
  data: string;
}

/** The row of a final failure. The same failure gives the same id, later ones sort after earlier ones. */
export function failedJobRow(entry: FailedJobEntry): FailedJobsTable {
  const key = JSON.stringify([entry.queue, entry.jobId, entry.failedAtMs]);
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 16);
  return {
    id: `${entry.failedAtMs.toString(16).padStart(12, '0')}${digest}`,
    queue: entry.queue,
    name: truncate(entry.name, longest.name),
    jobId: truncate(entry.jobId, longest.id),
    merchantId: entry.merchantId === undefined ? null : truncate(entry.merchantId, longest.id),
    correlationId: entry.correlationId === undefined ? null : truncate(entry.correlationId, longest.id),
    code: truncate(entry.code, longest.code),
    reason: truncate(entry.reason, longest.reason),
    data: entry.data,
    attemptsMade: entry.attemptsMade,
    failedAtMs: entry.failedAtMs,
    retriedAtMs: null,
  };
}

/** Reads a row for a list. */
export function failedJobSummary(row: Omit<FailedJobsTable, 'data'>): FailedJobSummary {
  const { id, queue, name, jobId, code, reason, attemptsMade, failedAtMs } = row;
  return {
    ...{ id, queue, name, jobId, code, reason, attemptsMade, failedAtMs },
    merchantId: row.merchantId ?? undefined,
    correlationId: row.correlationId ?? undefined,
    retriedAtMs: row.retriedAtMs ?? undefined,
  };
}

/**
 * The job to add for a retry: same id, so that an effect that did happen is not repeated; attempts start afresh.
 *
 * @throws FAILED_JOB_UNREADABLE
 */
export function jobOfFailed(row: FailedJobsTable): JobToAdd {
  let data: unknown;
  try {
    data = JSON.parse(row.data);
  } catch (cause) {
    throw failedJobUnreadable('the data of this job is not JSON', { cause });
  }
  if (typeof data !== 'object' || data === null || !('payload' in data))
    throw failedJobUnreadable('the data of this job has no payload');
  const { payload, meta } = data as { payload: unknown; meta?: unknown };
  // Ids that BullMQ counts itself can't be given to it.
  const jobId = /^-?\d+$/.test(row.jobId) || row.jobId.includes(':') ? toJobId('retry', row.id) : row.jobId;
  const base = { queue: row.queue, name: row.name, payload, options: { jobId } };
  return (typeof meta === 'object' && meta !== null ? { ...base, meta } : base) as JobToAdd;
}

function truncate(text: string, length: number): string {
  const wellFormed = text.toWellFormed();
  if (wellFormed.length <= length) return wellFormed;
  // Not between the halves of a character.
  return `${wellFormed.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
