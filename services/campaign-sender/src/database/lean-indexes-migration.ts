import { dropIndex, ensureIndex, type Migration } from '@switchyard/database';
import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/**
 * Fewer and smaller indexes of messages, since each message pays for every page that it touches. On SQLite those of what is open hold
 * nothing else, so that they are a few pages which every commit writes anyway. Calls under way are found by their messages.
 */
export const leanIndexesMigration: Migration = {
  async up(db: Kysely<unknown>) {
    // Nothing reads a merchant's messages but by time.
    await dropIndex(db, { name: 'messages_by_merchant', table: 'messages' });
    await dropIndex(db, { name: 'messages_queued', table: 'messages' });
    await dropIndex(db, { name: 'messages_by_expiry', table: 'messages' });
    await ensureIndex(db, {
      name: 'messages_waiting',
      table: 'messages',
      columns: ['state', 'senderId', 'priority', 'nextAttemptAtMs'],
      onlyWhereSet: 'nextAttemptAtMs',
    });
    await ensureIndex(db, {
      name: 'messages_expiring',
      table: 'messages',
      columns: ['expiresAtMs'],
      onlyWhereSet: 'expiresAtMs',
    });
    // The index holds what somebody must look at again: a call whose process has died, too.
    await (db as Kysely<Tables>)
      .updateTable('messages')
      .set(({ ref }) => ({ nextAttemptAtMs: ref('updatedAtMs') }))
      .where('state', '=', 'sending')
      .where('nextAttemptAtMs', 'is', null)
      .execute();
    await dropIndex(db, { name: 'attempts_by_state', table: 'message_attempts' });
    await dropIndex(db, { name: 'attempts_by_provider_id', table: 'message_attempts' });
    await ensureIndex(db, {
      name: 'attempts_by_wamid',
      table: 'message_attempts',
      columns: ['providerMessageId'],
      onlyWhereSet: 'providerMessageId',
    });
  },
};
