import type { Database, Transaction } from '@switchyard/database';
import { inheritMeta, type JobToAdd } from '@switchyard/jobs';
import type { Logger } from 'pino';
import { enqueuedTooLate } from './errors.ts';
import { createOutboxRow, insertOutboxRows, type OutboxRow } from './outbox-rows.ts';
import { type OutboxPoint, type OutboxProducer, publishRows } from './publish-rows.ts';
import { createPublisher } from './publisher.ts';
import { createSweeper } from './sweeper.ts';

/** What {@link createOutbox} needs. */
export interface OutboxOptions<DB> {
  /** With {@link outboxMigration} applied. */
  database: Database<DB>;
  producer: OutboxProducer;
  logger: Logger;
  /** Pause between sweeps, 2000 by default. */
  sweepIntervalMs?: number;
  /** How old a row must be before a sweeper takes it from the process that wrote it, 3000 by default. */
  olderThanMs?: number;
  /** Committed jobs in memory beyond which new transactions wait, 5000 by default. */
  backlogMost?: number;
  /** For tests that kill the process. */
  signal?: (point: OutboxPoint) => void;
}

/** Makes a change of state and the jobs that follow from it one thing. */
export interface Outbox<DB> {
  /**
   * Runs `work` in a transaction and writes the jobs it enqueues with it. Once committed they will be added, at least once each,
   * whatever dies meanwhile; the usual case is a few milliseconds later. Jobs of one transaction may be taken up in any order.
   *
   * A dead Redis fails nobody here. Before the transaction this waits while too many jobs are on their way.
   *
   * @param work as for `Database.transaction`: it may run again. `enqueue` checks the job at once.
   * @throws what `work` throws, or `enqueue`: PAYLOAD_INVALID, JOB_ID_INVALID. Nothing is written then.
   */
  transaction<T>(work: (trx: Transaction<DB>, enqueue: (job: JobToAdd) => void) => Promise<T>): Promise<T>;
  /** Starts the sweeper. */
  start(): void;
  /** Adds what was left behind now, oldest first. @returns rows added. @throws when the queue or the database is away. */
  sweep(): Promise<number>;
  /** Jobs of this process that are committed but not yet added, as far as they are in memory. */
  backlog(): number;
  /** Ends the sweeper and waits for what is on its way, `timeoutMs` (5000) at most; the rest is in the table. */
  close(timeoutMs?: number): Promise<void>;
}

/** Makes the outbox of a service. */
export function createOutbox<DB>(options: OutboxOptions<DB>): Outbox<DB> {
  const { database, producer, logger, olderThanMs = 3000, signal = () => {} } = options;
  const publish = (rows: readonly OutboxRow[]) => publishRows({ database, producer, logger, signal }, rows);
  const publisher = createPublisher({
    publish,
    logger,
    backlogMost: options.backlogMost ?? 5000,
    stuckAfterMs: 2000,
    restMs: 1000,
  });
  const sweeper = createSweeper({
    database,
    publish,
    logger,
    intervalMs: options.sweepIntervalMs ?? 2000,
  });

  return {
    async transaction(work) {
      await publisher.room();
      let rows: OutboxRow[] = [];
      const result = await database.transaction(async (trx) => {
        // A fresh list for each try: what an earlier one enqueued is rolled back.
        const mine: OutboxRow[] = [];
        let hasEnded = false;
        const value = await work(trx, (job) => {
          if (hasEnded) throw enqueuedTooLate(`${job.name} was enqueued after its transaction's work`);
          producer.check(job);
          mine.push(createOutboxRow(inheritMeta(job)));
        });
        hasEnded = true;
        signal('before-insert');
        if (mine.length > 0) await insertOutboxRows(trx, database.dialect, mine, olderThanMs);
        signal('after-insert');
        rows = mine;
        return value;
      });
      signal('after-commit');
      publisher.push(rows);
      return result;
    },
    start: () => sweeper.start(),
    sweep: () => sweeper.sweep(),
    backlog: () => publisher.size(),
    async close(timeoutMs = 5000) {
      await Promise.all([sweeper.close(timeoutMs), publisher.drain(timeoutMs)]);
    },
  };
}
