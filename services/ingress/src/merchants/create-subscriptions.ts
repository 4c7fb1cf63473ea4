import type { Database } from '@switchyard/database';
import { insertIgnore } from '@switchyard/database';
import type { JobPayload } from '@switchyard/jobs';
import type { IngressTables } from '../database/tables.ts';

/** The event types that merchants' endpoints want. */
export interface Subscriptions {
  /** Stores a version; one that is older than what is stored changes nothing. */
  set(subscriptions: JobPayload<'control', 'set-subscriptions'>): Promise<void>;
  /** @returns undefined for a merchant that never said. */
  get(merchantId: string): Promise<{ version: number; eventTypes: readonly string[] } | undefined>;
}

/** Creates the store of subscriptions. */
export function createSubscriptions({ database }: { database: Database<IngressTables> }): Subscriptions {
  const { db, dialect } = database;
  return {
    async set({ merchantId, version, eventTypes }) {
      const row = { merchantId, version, eventTypes: JSON.stringify(eventTypes), updatedAtMs: Date.now() };
      if ((await insertIgnore(db, dialect, 'subscriptions', [row], ['merchantId'])) > 0) return;
      const { merchantId: _merchantId, ...change } = row;
      await db
        .updateTable('subscriptions')
        .set(change)
        .where('merchantId', '=', merchantId)
        .where('version', '<', version)
        .execute();
    },
    async get(merchantId) {
      const row = await db
        .selectFrom('subscriptions')
        .select(['version', 'eventTypes'])
        .where('merchantId', '=', merchantId)
        .executeTakeFirst();
      return row && { version: row.version, eventTypes: JSON.parse(row.eventTypes) as string[] };
    },
  };
}
