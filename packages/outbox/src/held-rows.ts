import type { Database } from '@switchyard/database';
import type { QueueLink } from '@switchyard/jobs';
import type { Logger } from 'pino';
import type { OutboxPoint } from './publish-rows.ts';
import { ownTables } from './tables.ts';

/** Rows deleted in one transaction. */
const deletedAtOnce = 500;
/** After a delete that failed the next is tried so much later. */
const restMs = 1000;

/** Settings of {@link createHeldRows}. */
export interface HeldRowsOptions<DB> {
  database: Database<DB>;
  link: QueueLink;
  logger: Logger;
  /** How long after its add a row stays. */
  holdMs: number;
  /** Ids in memory beyond which it is full. */
  heldMost: number;
  signal: (point: OutboxPoint) => void;
}

/**
 * Rows whose jobs were added, and which stay until Redis has had time to make the jobs safe: it acknowledges before it writes.
 *
 * A row is deleted once it was held for so long by a connection that has not broken since before the add, and that answers still.
 * Otherwise it is let go: a sweeper adds it again when its time has come. Nothing needs to be told to Redis or to the table for that.
 */
export interface HeldRows {
  /** @param breaks `link.breaks()` from before the add was issued. */
  hold(ids: readonly string[], breaks: number): void;
  /** Ids of the rows whose jobs are in Redis as far as is known. */
  ids(): Set<string>;
  isFull(): boolean;
  /** Resolves when it is not full. */
  room(): Promise<void>;
  /** Waits for a delete under way. What is held is left to a sweeper: it can't be told yet whether its jobs are safe. */
  close(): Promise<void>;
}

interface Batch {
  ids: readonly string[];
  breaks: number;
  untilMs: number;
}

/** Makes the keeper of an outbox's held rows. Only ids are in memory. */
export function createHeldRows<DB>(options: HeldRowsOptions<DB>): HeldRows {
  const { database, link, logger, holdMs, heldMost, signal } = options;
  // Rows that were added within so long of each other are deleted together.
  const gatherMs = holdMs / 12;
  const batches: Batch[] = [];
  let size = 0;
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> | undefined;
  let roomSeekers: (() => void)[] = [];
  let isClosed = false;
  let isFailing = false;

  function schedule(delayMs: number): void {
    if (isClosed || timer || underWay || batches.length === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      underWay = release().then((pauseMs) => {
        underWay = undefined;
        schedule(Math.max(pauseMs, dueInMs()));
      });
    }, delayMs);
    // What is held is safe in the table: no reason for a process to live on.
    timer.unref();
  }

  const dueInMs = () => Math.max(0, (batches[0]?.untilMs ?? 0) - performance.now()) + gatherMs;

  /** @returns a pause. */
  async function release(): Promise<number> {
    const now = performance.now();
    const next = batches.findIndex(({ untilMs }) => untilMs > now);
    const due = batches.splice(0, next < 0 ? batches.length : next);
    try {
      await link.prove();
    } catch {
      // Its server may be another one when it answers next.
      forget(due);
      return 0;
    }
    const breaks = link.breaks();
    forget(due.filter((batch) => batch.breaks !== breaks));
    const safe = due.filter((batch) => batch.breaks === breaks);
    const ids = safe.flatMap((batch) => batch.ids);
    try {
      for (let at = 0; at < ids.length; at += deletedAtOnce) await remove(ids.slice(at, at + deletedAtOnce));
      forget(safe);
      isFailing = false;
      return 0;
    } catch (error) {
      // Once per outage.
      if (!isFailing) logger.warn({ err: error, rows: size }, 'outbox: added rows not deleted; trying again');
      isFailing = true;
      batches.unshift(...safe);
      return restMs;
    }
  }

  async function remove(ids: readonly string[]): Promise<void> {
    signal('before-delete');
    // A transaction only for its retries: sweepers of other replicas may hold the rows for a moment.
    await database.transaction((trx) => ownTables(trx).deleteFrom('outbox').where('id', 'in', ids).execute());
    signal('after-delete');
  }

  /** Takes batches out of the account. */
  function forget(gone: readonly Batch[]): void {
    for (const { ids } of gone) size -= ids.length;
    if (size >= heldMost) return;
    const seekers = roomSeekers;
    roomSeekers = [];
    for (const go of seekers) go();
  }

  return {
    hold(ids, breaks) {
      if (isClosed || ids.length === 0 || breaks !== link.breaks()) return;
      batches.push({ ids, breaks, untilMs: performance.now() + holdMs });
      size += ids.length;
      schedule(dueInMs());
    },
    ids() {
      const breaks = link.breaks();
      return new Set(batches.filter((batch) => batch.breaks === breaks).flatMap((batch) => batch.ids));
    },
    isFull: () => size >= heldMost,
    async room() {
      while (size >= heldMost && !isClosed) await new Promise<void>((resolve) => roomSeekers.push(resolve));
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      for (const go of roomSeekers) go();
      await underWay;
    },
  };
}
