import { type DialectName, databaseNow, type Transaction } from '@switchyard/database';
import { catalog, type JobDefinition, type JobToAdd } from '@switchyard/jobs';
import { CompiledQuery, sql } from 'kysely';
import { createRowId } from './row-id.ts';
import type { OutboxTable } from './tables.ts';

/** A row of the outbox with its job at hand. */
export interface OutboxRow {
  readonly id: string;
  readonly job: JobToAdd;
  readonly again: boolean;
  readonly enqueuedAtMs: number;
}

/** How old a row is before a sweeper takes it from the process that wrote it, unless told otherwise. */
export const usualOlderThanMs = 6000;

/** Limits of one INSERT: parameters, and MySQL's max_allowed_packet. */
const rowsMost = 500;
const charactersMost = 2_000_000;

/** Makes a job's row. A job for which neither caller nor catalog has an id gets the row's: adding twice must be harmless. */
export function createOutboxRow(job: JobToAdd, again = false): OutboxRow {
  const id = createRowId();
  const named =
    jobIdOf(job) === undefined ? { ...job, options: { ...job.options, jobId: `outbox_${id}` } } : job;
  return { id, job: named as JobToAdd, again, enqueuedAtMs: Date.now() };
}

function jobIdOf({ queue, name, payload, options }: JobToAdd): string | undefined {
  if (options?.jobId !== undefined) return options.jobId;
  const jobs: Readonly<Record<string, JobDefinition>> = catalog[queue].jobs as never;
  return jobs[name]?.jobId?.(payload as never);
}

/**
 * Inserts rows within the transaction that they belong to.
 *
 * @param ownMs how long they are the caller's business before a sweeper takes them, by the database's clock.
 */
export async function insertOutboxRows<DB>(
  trx: Transaction<DB>,
  dialect: DialectName,
  rows: readonly OutboxRow[],
  ownMs: number,
): Promise<void> {
  const now = sql`${databaseNow(dialect)}`.compile(trx).sql;
  const tuple = `(?, ?, ?, ?, ?, ?, ?, ${now} + ?, null)`;
  for (const { parameters, count } of statements(rows, ownMs))
    await trx.executeQuery(
      CompiledQuery.raw(
        `insert into outbox (id, queue, name, jobId, job, again, enqueuedAtMs, notBeforeMs, claim) values ${Array(count).fill(tuple).join(', ')}`,
        parameters,
      ),
    );
}

function* statements(
  rows: readonly OutboxRow[],
  ownMs: number,
): Generator<{ parameters: unknown[]; count: number }> {
  let parameters: unknown[] = [];
  let count = 0;
  let characters = 0;
  for (const row of rows) {
    const { queue, name, payload, options, meta } = row.job;
    const body = JSON.stringify({ payload, options, meta });
    if (count === rowsMost || (count > 0 && characters + body.length > charactersMost)) {
      yield { parameters, count };
      parameters = [];
      count = 0;
      characters = 0;
    }
    parameters.push(row.id, queue, name, jobIdOf(row.job), body, row.again, row.enqueuedAtMs, ownMs);
    count++;
    characters += body.length;
  }
  if (count > 0) yield { parameters, count };
}

/** Reads a row back. */
export function parseOutboxRow(row: OutboxTable): OutboxRow {
  const { payload, options, meta } = JSON.parse(row.job);
  const job = { queue: row.queue, name: row.name, payload, options: { ...options, jobId: row.jobId }, meta };
  return { id: row.id, job: job as JobToAdd, again: row.again === 1, enqueuedAtMs: row.enqueuedAtMs };
}

/** The job as it is to be added now: a delay counts from the enqueuing, however late the add. */
export function jobToAddNow({ job, enqueuedAtMs }: OutboxRow): JobToAdd {
  const delayMs = job.options?.delayMs;
  if (delayMs === undefined) return job;
  const remainingMs = Math.max(0, delayMs - Math.max(0, Date.now() - enqueuedAtMs));
  return { ...job, options: { ...job.options, delayMs: remainingMs } } as JobToAdd;
}
