import { columnKinds, ensureIndex, type Kysely, type Migration } from '@switchyard/database';

/** Merchants, their keys, apps and sources. */
export const merchantsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('merchants')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('name', column.text(200), (c) => c.notNull())
      .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
      .execute();

    await db.schema
      .createTable('api_keys')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('name', column.text(200), (c) => c.notNull())
      .addColumn('keyHash', column.id, (c) => c.notNull())
      .addColumn('hint', column.text(32), (c) => c.notNull())
      .addColumn('scopes', column.longText, (c) => c.notNull())
      .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('revokedAtMs', column.timestampMs)
      .execute();
    await ensureIndex(db, { name: 'api_keys_hash', table: 'api_keys', columns: ['keyHash'], unique: true });
    await ensureIndex(db, { name: 'api_keys_merchant', table: 'api_keys', columns: ['merchantId', 'id'] });

    await db.schema
      .createTable('apps')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('kind', column.text(16), (c) => c.notNull())
      .addColumn('name', column.text(200), (c) => c.notNull())
      .addColumn('sealedSecret', column.longText, (c) => c.notNull())
      .addColumn('sealedPreviousSecret', column.longText)
      .addColumn('previousUntilMs', column.timestampMs)
      .addColumn('verifyTokenHash', column.text(64))
      .addColumn('managedBy', column.text(16), (c) => c.notNull())
      .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureIndex(db, { name: 'apps_merchant', table: 'apps', columns: ['merchantId', 'id'] });
    await ensureIndex(db, { name: 'apps_kind', table: 'apps', columns: ['kind'] });

    await db.schema
      .createTable('sources')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('appId', column.id, (c) => c.notNull())
      .addColumn('kind', column.text(16), (c) => c.notNull())
      .addColumn('sourceKey', column.id, (c) => c.notNull())
      .addColumn('accountKey', column.id)
      .addColumn('name', column.text(200))
      .addColumn('status', column.text(16), (c) => c.notNull())
      .addColumn('statusReason', column.longText)
      .addColumn('managedBy', column.text(16), (c) => c.notNull())
      .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'sources_key',
      table: 'sources',
      columns: ['kind', 'sourceKey'],
      unique: true,
    });
    await ensureIndex(db, { name: 'sources_account', table: 'sources', columns: ['kind', 'accountKey'] });
    await ensureIndex(db, { name: 'sources_merchant', table: 'sources', columns: ['merchantId', 'id'] });
    await ensureIndex(db, { name: 'sources_app', table: 'sources', columns: ['appId'] });
  },
};
