import { columnKinds, ensureColumn, type Migration } from '@switchyard/database';
import type { Kysely } from 'kysely';

/** Why a queued message waits. */
export const waitReasonMigration: Migration = {
  async up(db: Kysely<unknown>) {
    await ensureColumn(db, 'messages', 'waitReason', columnKinds(db).text(32));
  },
};
