import { columnKinds, ensureIndex, type Kysely, type Migration } from '@switchyard/database';

/** AI providers and what they were used for. */
export const createAiTables: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('aiProviders')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('name', column.text(128), (each) => each.notNull())
      .addColumn('position', column.integer, (each) => each.notNull())
      .addColumn('baseUrl', column.text(2048), (each) => each.notNull())
      .addColumn('apiKeySealed', column.longText)
      .addColumn('model', column.text(128), (each) => each.notNull())
      .addColumn('transcriptionModel', column.text(128))
      .addColumn('tokenLimitParameter', column.text(32), (each) => each.notNull())
      .addColumn('inputPrice', column.real, (each) => each.notNull())
      .addColumn('outputPrice', column.real, (each) => each.notNull())
      .addColumn('minutePrice', column.real, (each) => each.notNull())
      .addColumn('state', column.text(16), (each) => each.notNull())
      .addColumn('origin', column.text(16), (each) => each.notNull())
      .addColumn('createdAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'aiProvidersByMerchant',
      table: 'aiProviders',
      columns: ['merchantId', 'position'],
    });
    await db.schema
      .createTable('aiUsage')
      .ifNotExists()
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('day', column.text(10), (each) => each.notNull())
      .addColumn('providerId', column.id, (each) => each.notNull())
      .addColumn('model', column.text(128), (each) => each.notNull())
      .addColumn('purpose', column.text(16), (each) => each.notNull())
      .addColumn('calls', column.integer, (each) => each.notNull())
      .addColumn('failures', column.integer, (each) => each.notNull())
      .addColumn('inputTokens', column.integer, (each) => each.notNull())
      .addColumn('outputTokens', column.integer, (each) => each.notNull())
      .addColumn('audioSeconds', column.integer, (each) => each.notNull())
      .addColumn('costMicros', column.integer, (each) => each.notNull())
      .addPrimaryKeyConstraint('aiUsageKey', ['merchantId', 'day', 'providerId', 'model', 'purpose'])
      .execute();
  },
};
