import { insertIgnore } from '@switchyard/database';
import { type JobPayload, matchesEventType } from '@switchyard/jobs';
import type { Dialect, Executor } from '../database/scope.ts';

/** Which events merchants' endpoints want; a merchant that never said wants none. */
export interface EventSubscriptions {
  /** Answers from memory. */
  wants(merchantId: string, type: string): boolean;
  /** Stores an announcement; one that is older than what is stored changes nothing. */
  set(announced: JobPayload<'contacts', 'set-subscriptions'>): Promise<void>;
  /** Reads what has changed since the last time, by whatever process. */
  refresh(): Promise<void>;
  /** Merchants that want anything, as far as this process knows. */
  readonly subscribers: number;
}

/** Clocks of processes differ, and a transaction may commit later than its row says. */
const OVERLAP_MS = 60_000;
const PAGE = 1000;

/**
 * Makes the index of subscriptions: every merchant that wants anything is in memory, so that an event costs no query; rows that
 * changed are read again, a page at a time.
 */
export function createEventSubscriptions(db: Executor, dialect: Dialect): EventSubscriptions {
  const wanted = new Map<string, { version: number; patterns: readonly string[] }>();
  let readUntilMs = 0;

  function learn(merchantId: string, version: number, patterns: readonly string[]): void {
    const known = wanted.get(merchantId);
    if (known && known.version > version) return;
    wanted.set(merchantId, { version, patterns });
  }

  return {
    wants: (merchantId, type) => matchesEventType(wanted.get(merchantId)?.patterns ?? [], type),
    async set({ merchantId, version, eventTypes }) {
      learn(merchantId, version, eventTypes);
      const row = { merchantId, version, eventTypes: JSON.stringify(eventTypes), updatedAtMs: Date.now() };
      if ((await insertIgnore(db, dialect, 'event_subscriptions', [row], ['merchantId'])) === 0)
        await db
          .updateTable('event_subscriptions')
          .set({ version, eventTypes: row.eventTypes, updatedAtMs: row.updatedAtMs })
          .where('merchantId', '=', merchantId)
          .where('version', '<', version)
          .execute();
    },
    get subscribers() {
      return [...wanted.values()].filter(({ patterns }) => patterns.length > 0).length;
    },
    async refresh() {
      const sinceMs = readUntilMs - OVERLAP_MS;
      const startedAtMs = Date.now();
      let after = '';
      for (;;) {
        const rows = await db
          .selectFrom('event_subscriptions')
          .selectAll()
          .where('updatedAtMs', '>=', sinceMs)
          .where('merchantId', '>', after)
          .orderBy('merchantId')
          .limit(PAGE)
          .execute();
        for (const row of rows) learn(row.merchantId, row.version, JSON.parse(row.eventTypes) as string[]);
        if (rows.length < PAGE) break;
        after = rows.at(-1)!.merchantId;
      }
      readUntilMs = startedAtMs;
    },
  };
}
