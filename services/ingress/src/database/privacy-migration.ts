import { columnKinds, ensureColumn, ensureIndex, type Kysely, type Migration } from '@switchyard/database';

/** What the law asks for: erasures of shops beside those of persons, and requests for a person's data. */
export const privacyMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await ensureColumn(db, 'erasures', 'kind', column.text(16), (c) => c.notNull().defaultTo('person'));
    await ensureColumn(db, 'erasures', 'shopDomain', column.id);
    await db.schema
      .createTable('data_requests')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('sealedIdentifiers', column.longText, (c) => c.notNull())
      .addColumn('requestedAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('data_request_parts')
      .ifNotExists()
      .addColumn('requestId', column.id, (c) => c.notNull())
      .addColumn('owner', column.text(64), (c) => c.notNull())
      .addColumn('sealedData', column.longText, (c) => c.notNull())
      .addColumn('completedAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'data_request_parts_key',
      table: 'data_request_parts',
      columns: ['requestId', 'owner'],
      unique: true,
    });
  },
};
