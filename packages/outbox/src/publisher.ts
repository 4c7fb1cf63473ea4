import type { Logger } from 'pino';
import type { OutboxRow } from './outbox-rows.ts';

/** Rows added and deleted together. */
const batchMost = 500;

/** Settings of {@link createPublisher}. */
export interface PublisherOptions {
  publish: (rows: readonly OutboxRow[]) => Promise<void>;
  /** While true rows are left to the sweeper. */
  isFull: () => boolean;
  logger: Logger;
  /** Rows in memory beyond which callers wait. */
  backlogMost: number;
  /** A batch that takes longer means that Redis hangs: callers no longer wait, rows are left to the sweeper. */
  stuckAfterMs: number;
  /** After a failure rows are left to the sweeper for so long. */
  restMs: number;
}

/** Publishes committed rows, those of concurrent transactions together. */
export interface Publisher {
  /** Resolves when there is room in memory; at once while Redis is away. */
  room(): Promise<void>;
  push(rows: readonly OutboxRow[]): void;
  /** Rows in memory. */
  size(): number;
  /** Waits for what is in memory, `timeoutMs` at most; the rest is left to the next process's sweeper. */
  drain(timeoutMs: number): Promise<void>;
}

/** Makes the publisher of an outbox. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { publish, isFull, logger, backlogMost, stuckAfterMs, restMs } = options;
  let waiting: OutboxRow[] = [];
  let published = 0;
  let running: Promise<void> | undefined;
  let isStuck = false;
  let restUntilMs = 0;
  let roomSeekers: (() => void)[] = [];

  const isAway = () => isStuck || performance.now() < restUntilMs;

  function wake(): void {
    const seekers = roomSeekers;
    roomSeekers = [];
    for (const go of seekers) go();
  }

  function leaveToSweeper(): void {
    waiting = [];
    wake();
  }

  async function publishBatch(batch: OutboxRow[]): Promise<void> {
    published = batch.length;
    const timer = setTimeout(() => {
      isStuck = true;
      logger.warn(
        { rows: batch.length + waiting.length },
        'outbox: the queue does not answer; the sweeper will add',
      );
      leaveToSweeper();
    }, stuckAfterMs);
    try {
      await publish(batch);
    } catch (error) {
      restUntilMs = performance.now() + restMs;
      logger.warn(
        { err: error, rows: batch.length + waiting.length },
        'outbox: jobs not added; the sweeper will',
      );
      leaveToSweeper();
    } finally {
      clearTimeout(timer);
      isStuck = false;
      published = 0;
      wake();
    }
  }

  async function run(): Promise<void> {
    // Transactions that commit in the same turn of the event loop share a batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await publishBatch(waiting.splice(0, batchMost));
    running = undefined;
  }

  return {
    async room() {
      while (waiting.length + published >= backlogMost && !isAway())
        await new Promise<void>((resolve) => roomSeekers.push(resolve));
    },
    push(rows) {
      if (rows.length === 0 || isAway() || isFull()) return;
      for (const row of rows) waiting.push(row);
      running ??= run();
    },
    size: () => waiting.length + published,
    async drain(timeoutMs) {
      if (!running) return;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([running, late]);
      clearTimeout(timer);
    },
  };
}
