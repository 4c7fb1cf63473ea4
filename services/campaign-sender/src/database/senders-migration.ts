import { columnKinds, ensureColumn, type Migration } from '@switchyard/database';
import type { Kysely } from 'kysely';

/** What the provider says of a number. */
export const sendersMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await ensureColumn(db, 'senders', 'verifiedName', column.text(256));
    await ensureColumn(db, 'senders', 'nameStatus', column.text(64));
    await ensureColumn(db, 'senders', 'providerStatus', column.text(64));
    await ensureColumn(db, 'senders', 'qualityRating', column.text(32));
    await ensureColumn(db, 'senders', 'messagingLimitTier', column.text(64));
    await ensureColumn(db, 'senders', 'throughputLevel', column.text(32));
    await ensureColumn(db, 'senders', 'followsProvider', column.flag, (c) => c.notNull().defaultTo(0));
    await ensureColumn(db, 'senders', 'probedAtMs', column.timestampMs);
    await ensureColumn(db, 'senders', 'probeProblem', column.longText);
  },
};
