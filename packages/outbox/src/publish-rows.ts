import type { Database } from '@switchyard/database';
import { isCodedError } from '@switchyard/errors';
import type { JobToAdd, Producer } from '@switchyard/jobs';
import type { Logger } from 'pino';
import type { HeldRows } from './held-rows.ts';
import { jobToAddNow, type OutboxRow } from './outbox-rows.ts';
import { ownTables } from './tables.ts';

/** What the outbox needs of the producer of `@switchyard/jobs`. */
export type OutboxProducer = Pick<Producer, 'addMany' | 'addAgain' | 'forget' | 'check' | 'link'>;

/**
 * Makes fewer jobs of those that are added together, where one can do the work of several. What it returns must have the same effect, also
 * when some of these jobs have been added before, alone or joined with others.
 */
export type JoinJobs = (jobs: readonly JobToAdd[]) => readonly JobToAdd[];

/** Where a test may stop the process: nothing must depend on what comes after. */
export type OutboxPoint =
  | 'before-insert'
  | 'after-insert'
  | 'after-commit'
  | 'before-add'
  | 'after-add'
  | 'before-delete'
  | 'after-delete';

/** What {@link publishRows} needs. */
export interface PublishContext<DB> {
  database: Database<DB>;
  producer: OutboxProducer;
  logger: Logger;
  held: Pick<HeldRows, 'hold'>;
  join: JoinJobs;
  signal: (point: OutboxPoint) => void;
}

/** A row that its queue will not take is looked at again after so long: a later version may know the job. */
const refusedPauseMs = 10 * 60_000;

/**
 * Adds the rows' jobs, then holds the rows: they are deleted when the jobs are safe.
 *
 * A job that is refused for good (a payload of another version) keeps its row and does not hold up the others.
 *
 * @throws what the producer or the database throws when away: rows that are left will be added (again).
 */
export async function publishRows<DB>(
  context: PublishContext<DB>,
  rows: readonly OutboxRow[],
): Promise<void> {
  const { producer, held, join, signal } = context;
  const breaks = producer.link.breaks();
  signal('before-add');
  let added = rows.filter((row) => !row.again);
  try {
    if (added.length > 0) await producer.addMany(join(added.map(jobToAddNow)));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    added = await addOneByOne(context, added, (row) => producer.addMany([jobToAddNow(row)]));
  }
  const again = rows.filter((row) => row.again);
  added.push(...(await addOneByOne(context, again, (row) => producer.addAgain(jobToAddNow(row)))));
  signal('after-add');
  held.hold(
    added.map(({ id }) => id),
    breaks,
  );
}

/** @returns the rows whose jobs were added. */
async function addOneByOne<DB>(
  { database, logger }: PublishContext<DB>,
  rows: readonly OutboxRow[],
  add: (row: OutboxRow) => Promise<unknown>,
): Promise<OutboxRow[]> {
  const added: OutboxRow[] = [];
  for (const row of rows) {
    try {
      await add(row);
      added.push(row);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { queue, name, options } = row.job;
      logger.error(
        { err: error, queue, job: name, jobId: options?.jobId, outboxId: row.id },
        'outbox row refused by its queue; kept',
      );
      await ownTables(database.db)
        .updateTable('outbox')
        .set({ notBeforeMs: Date.now() + refusedPauseMs })
        .where('id', '=', row.id)
        .execute();
    }
  }
  return added;
}

function isRefusal(error: unknown): boolean {
  return isCodedError(error) && error.outcome === 'never';
}
