import type { Database } from '@switchyard/database';
import { insertIgnore } from '@switchyard/database';
import type { JobPayload } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import type { IngressTables } from '../database/tables.ts';

/** The event types that merchants' endpoints want. */
export interface Subscriptions {
  /** Stores a version and passes it on to who publishes events; one that is not newer than what is stored changes nothing. */
  set(subscriptions: JobPayload<'control', 'set-subscriptions'>): Promise<void>;
  /** @returns undefined for a merchant that never said. */
  get(merchantId: string): Promise<{ version: number; eventTypes: readonly string[] } | undefined>;
}

/** Creates the store of subscriptions. */
export function createSubscriptions(settings: {
  database: Database<IngressTables>;
  outbox: Pick<Outbox<IngressTables>, 'transaction'>;
}): Subscriptions {
  const { database, outbox } = settings;
  const { db, dialect } = database;
  return {
    async set({ merchantId, version, eventTypes }) {
      const row = { merchantId, version, eventTypes: JSON.stringify(eventTypes), updatedAtMs: Date.now() };
      await outbox.transaction(async (trx, enqueue) => {
        const inserted = await insertIgnore(trx, dialect, 'subscriptions', [row], ['merchantId']);
        if (inserted === 0) {
          const { merchantId: _merchantId, ...change } = row;
          const { numUpdatedRows } = await trx
            .updateTable('subscriptions')
            .set(change)
            .where('merchantId', '=', merchantId)
            .where('version', '<', version)
            .executeTakeFirst();
          if (numUpdatedRows === 0n) return;
        }
        enqueue({
          queue: 'contacts',
          name: 'set-subscriptions',
          payload: { merchantId, version, eventTypes },
          meta: { merchantId },
        });
      });
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
