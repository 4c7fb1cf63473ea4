import { columnKinds, ensureColumn, type Kysely, type Migration } from '@switchyard/database';

/** What sources other than WhatsApp need: kept events remember their headers. */
export const wideningMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await ensureColumn(db, 'unrouted_events', 'headers', column.longText);
  },
};
