import { columnKinds, dialectOf, type Migration } from '@switchyard/database';
import type { Kysely } from 'kysely';

/** The states that a message and its call go through leave their rows as long as they were. SQLite knows no such columns. */
export const steadyRowsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    if (dialectOf(db) === 'sqlite') return;
    for (const table of ['messages', 'message_attempts'])
      await db.schema
        .alterTable(table)
        .modifyColumn('state', columnKinds(db).word(16), (column) => column.notNull())
        .execute();
  },
};
