import { type Database, databaseNow } from '@switchyard/database';
import type { Logger } from 'pino';
import { type OutboxRow, parseOutboxRow } from './outbox-rows.ts';
import { createRowId } from './row-id.ts';
import { ownTables } from './tables.ts';

const batchMost = 500;
/** While the queue is away, each sweep tries with a few. */
const batchWhileAway = 10;
/** A sweep that died is taken over after so long: longer than an added row is held. */
const claimMs = 10_000;

/** Settings of {@link createSweeper}. */
export interface SweeperOptions<DB> {
  database: Database<DB>;
  publish: (rows: readonly OutboxRow[]) => Promise<void>;
  /** Resolves when there is room to remember more added rows. */
  room: () => Promise<void>;
  logger: Logger;
  intervalMs: number;
}

/** Adds what was left behind. */
export interface Sweeper {
  start(): void;
  /** Adds everything that is due, oldest first. @returns rows published. @throws when queue or database is away. */
  sweep(): Promise<number>;
  /** Ends after the batch under way, or after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

/** Makes the sweeper of an outbox. Any number may sweep at once: each claims its rows first. */
export function createSweeper<DB>(options: SweeperOptions<DB>): Sweeper {
  const { database, publish, room, logger, intervalMs } = options;
  const db = ownTables(database.db);
  const now = databaseNow(database.dialect);
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<number> | undefined;
  let isClosed = false;
  let isAway = false;

  async function claim(limit: number): Promise<OutboxRow[]> {
    const due = await db
      .selectFrom('outbox')
      .select('id')
      .where('notBeforeMs', '<=', now)
      .orderBy('notBeforeMs')
      .orderBy('id')
      .limit(limit)
      .execute();
    if (due.length === 0) return [];
    const ids = due.map(({ id }) => id);
    const token = createRowId();
    await database.transaction((trx) =>
      ownTables(trx)
        .updateTable('outbox')
        .set((eb) => ({ claim: token, notBeforeMs: eb(now, '+', claimMs) }))
        .where('id', 'in', ids)
        .where('notBeforeMs', '<=', now)
        .execute(),
    );
    const rows = await db
      .selectFrom('outbox')
      .selectAll()
      .where('id', 'in', ids)
      .where('claim', '=', token)
      .orderBy('id')
      .execute();
    return rows.map(parseOutboxRow);
  }

  /** Gives rows back, in their old order, so that the next sweep need not wait for the claim to end. */
  async function unclaim(rows: readonly OutboxRow[]): Promise<void> {
    const ids = rows.map(({ id }) => id);
    await db
      .updateTable('outbox')
      .set((eb) => ({ claim: null, notBeforeMs: eb.ref('enqueuedAtMs') }))
      .where('id', 'in', ids)
      .where('notBeforeMs', '<=', (eb) => eb(now, '+', claimMs))
      .execute();
  }

  async function sweepAll(): Promise<number> {
    let swept = 0;
    while (!isClosed) {
      await room();
      const limit = isAway ? batchWhileAway : batchMost;
      const rows = await claim(limit);
      if (rows.length === 0) break;
      try {
        await publish(rows);
      } catch (error) {
        isAway = true;
        await unclaim(rows).catch(() => {
          // The claim ends by itself; the first error says what is wrong.
        });
        throw error;
      }
      if (isAway) logger.info('outbox: the queue is back');
      isAway = false;
      swept += rows.length;
    }
    return swept;
  }

  function sweep(): Promise<number> {
    underWay ??= sweepAll().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  async function run(): Promise<void> {
    const wasAway = isAway;
    try {
      const swept = await sweep();
      if (swept > 0) logger.info({ rows: swept }, 'outbox: added what was left behind');
    } catch (error) {
      // Once per outage, not every few seconds of it.
      if (!wasAway) logger.warn({ err: error }, 'outbox: sweep failed; it goes on trying');
    }
    if (!isClosed) timer = setTimeout(run, intervalMs);
  }

  return {
    start() {
      if (!isClosed) timer ??= setTimeout(run, 0);
    },
    sweep,
    async close(timeoutMs) {
      isClosed = true;
      clearTimeout(timer);
      if (!underWay) return;
      let late: NodeJS.Timeout | undefined;
      await Promise.race([
        underWay.catch(() => {}),
        new Promise((resolve) => {
          late = setTimeout(resolve, timeoutMs);
        }),
      ]);
      clearTimeout(late);
    },
  };
}
