import type { Database, Transaction } from '@switchyard/database';
import { inheritMeta, type JobToAdd } from '@switchyard/jobs';
import type { Logger } from 'pino';
import { enqueuedTooLate } from './errors.ts';
import { createHeldRows, type HeldRows } from './held-rows.ts';
import { createOutboxRow, insertOutboxRows, type OutboxRow, usualOlderThanMs } from './outbox-rows.ts';
import { type JoinJobs, type OutboxPoint, type OutboxProducer, publishRows } from './publish-rows.ts';
import { createPublisher } from './publisher.ts';
import { createSweeper } from './sweeper.ts';
import { ownTables } from './tables.ts';

/** What {@link createOutbox} needs. */
export interface OutboxOptions<DB> {
  /** With {@link outboxMigration} applied. */
  database: Database<DB>;
  producer: OutboxProducer;
  logger: Logger;
  /** Pause between sweeps, 2000 by default. */
  sweepIntervalMs?: number;
  /**
   * How old a row must be before a sweeper takes it from the process that wrote it, 6000 by default: longer than `holdMs`, with room
   * for a slow delete, or healthy jobs are added twice.
   */
  olderThanMs?: number;
  /**
   * How long a row stays after its job was added, 3000 by default. Redis acknowledges before it writes: with `appendfsync everysec` and
   * a slow disk it keeps what it acknowledged for up to 2 s in memory, and a replica lags; who dies then has forgotten it.
   */
  holdMs?: number;
  /**
   * Added rows (their ids) in memory beyond which more jobs are left to the sweeper, which waits until there is room; 100,000 by
   * default. Only a database that deletes much more slowly than it inserts lets them become so many.
   */
  heldMost?: number;
  /** Committed jobs in memory beyond which new transactions wait, 5000 by default. */
  backlogMost?: number;
  /** Of jobs that are added together; without it each is added as it is. */
  join?: JoinJobs;
  /** For tests that kill the process. */
  signal?: (point: OutboxPoint) => void;
}

/** Makes a change of state and the jobs that follow from it one thing. */
export interface Outbox<DB> {
  /**
   * Runs `work` in a transaction and writes the jobs it enqueues with it. Once committed they will be added, at least once each,
   * whatever dies meanwhile, a Redis that forgets its last seconds included; the usual case is a few milliseconds later. Jobs of one
   * transaction may be taken up in any order.
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
  /** Rows in the table whose jobs this process has not added, or not safely. Those that it has added stay a while longer. */
  pending(): Promise<number>;
  /** For a row that was written and added elsewhere; as {@link HeldRows.hold}. */
  hold: HeldRows['hold'];
  /**
   * Ends the sweeper and waits for what is on its way, `timeoutMs` (5000) at most; the rest is in the table. So are the rows of the
   * last seconds' jobs: the sweeper of the next process, or of another replica, adds them again, and consumers absorb it.
   */
  close(timeoutMs?: number): Promise<void>;
}

/** Makes the outbox of a service. */
export function createOutbox<DB>(options: OutboxOptions<DB>): Outbox<DB> {
  const { database, producer, logger, olderThanMs = usualOlderThanMs, signal = () => {} } = options;
  const { join = (jobs) => jobs } = options;
  const held = createHeldRows({
    database,
    link: producer.link,
    logger,
    holdMs: options.holdMs ?? 3000,
    heldMost: options.heldMost ?? 100_000,
    signal,
  });
  const publish = (rows: readonly OutboxRow[]) =>
    publishRows({ database, producer, logger, held, join, signal }, rows);
  const publisher = createPublisher({
    publish,
    isFull: () => held.isFull(),
    logger,
    backlogMost: options.backlogMost ?? 5000,
    stuckAfterMs: 2000,
    restMs: 1000,
  });
  const sweeper = createSweeper({
    database,
    publish,
    room: () => held.room(),
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
    async pending() {
      const rows = await ownTables(database.db).selectFrom('outbox').select('id').execute();
      // Looked at after the rows: what was added meanwhile counts as added.
      const added = held.ids();
      return rows.filter(({ id }) => !added.has(id)).length;
    },
    hold: (ids, breaks) => held.hold(ids, breaks),
    async close(timeoutMs = 5000) {
      await Promise.all([sweeper.close(timeoutMs), publisher.drain(timeoutMs), held.close()]);
    },
  };
}
