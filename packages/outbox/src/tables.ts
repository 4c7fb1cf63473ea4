import type { Kysely } from '@switchyard/database';

/** A job on its way from a transaction to its queue. */
export interface OutboxTable {
  /** In the order of enqueuing, as near as several processes' clocks allow. */
  id: string;
  queue: string;
  name: string;
  jobId: string;
  /** `{payload, options, meta}` as JSON. */
  job: string;
  /** 1: a finished job of the same id makes way. */
  again: number;
  enqueuedAtMs: number;
  /** By the database's clock: before, the row is the business of the process that wrote or claimed it. */
  notBeforeMs: number;
  /** The sweep that has it. */
  claim: string | null;
}

/** The ids of the jobs whose effect is in this database. */
export interface ProcessedJobsTable {
  jobId: string;
  /** Of the call that inserted it, to tell its rows from others'. */
  token: string;
  processedAtMs: number;
}

/** Jobs that failed for good. */
export interface FailedJobsTable {
  id: string;
  queue: string;
  name: string;
  jobId: string;
  merchantId: string | null;
  correlationId: string | null;
  code: string;
  reason: string;
  data: string;
  attemptsMade: number;
  failedAtMs: number;
  retriedAtMs: number | null;
}

/** The tables of this package, for services' own table types. */
export interface OutboxTables {
  outbox: OutboxTable;
  processed_jobs: ProcessedJobsTable;
  failed_jobs: FailedJobsTable;
}

/** A service's executor, seen as one of our tables: the migrations are the service's to apply. */
export function ownTables<DB>(executor: Kysely<DB>): Kysely<OutboxTables> {
  return executor as unknown as Kysely<OutboxTables>;
}
