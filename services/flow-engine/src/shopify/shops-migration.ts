import { columnKinds, ensureIndex, type Kysely, type Migration } from '@switchyard/database';

/** The merchants' shops and their tokens. */
export const createShops: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('shops')
      .ifNotExists()
      .addColumn('id', column.id, (each) => each.primaryKey())
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('shopDomain', column.id, (each) => each.notNull())
      .addColumn('accessTokenSealed', column.longText, (each) => each.notNull())
      .addColumn('tokenExpiresAtMs', column.timestampMs)
      .addColumn('refreshTokenSealed', column.longText)
      .addColumn('clientId', column.id)
      .addColumn('clientSecretSealed', column.longText)
      .addColumn('state', column.text(16), (each) => each.notNull())
      .addColumn('stateReason', column.text(512))
      .addColumn('origin', column.text(16), (each) => each.notNull())
      .addColumn('createdAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'shopsByDomain',
      table: 'shops',
      columns: ['merchantId', 'shopDomain'],
      unique: true,
    });
  },
};
