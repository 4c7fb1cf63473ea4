export { enqueuedTooLate, failedJobRetried, failedJobUnknown, failedJobUnreadable } from './errors.ts';
export type { FailedJob, FailedJobSummary } from './failed-job.ts';
export {
  createFailedJobs,
  type FailedJobs,
  type FailedJobsOptions,
  type FailedJobsQuery,
  type FailedJobsScope,
} from './failed-jobs.ts';
export { failedJobsMigration, outboxMigration, processedJobsMigration } from './migrations.ts';
export { createOutbox, type Outbox, type OutboxOptions } from './outbox.ts';
export { createProcessedJobs, type ProcessedJobs } from './processed-jobs.ts';
export type { JoinJobs, OutboxPoint, OutboxProducer } from './publish-rows.ts';
export type { FailedJobsTable, OutboxTable, OutboxTables, ProcessedJobsTable } from './tables.ts';
