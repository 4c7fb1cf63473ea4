import { columnKinds, ensureIndex, type Migration } from '@switchyard/database';
import type { Kysely } from 'kysely';

/** Accounts with their templates as the provider has them; a template's status takes the place of the holds. */
export const templatesMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('whatsapp_accounts')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('wabaId', column.text(64), (c) => c.notNull())
      .addColumn('name', column.text(256))
      .addColumn('accessToken', column.longText)
      .addColumn('syncedAtMs', column.timestampMs)
      .addColumn('nextSyncAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('syncFailures', column.integer, (c) => c.notNull())
      .addColumn('syncProblem', column.longText)
      .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'accounts_by_merchant',
      table: 'whatsapp_accounts',
      columns: ['merchantId', 'wabaId'],
      unique: true,
    });
    await ensureIndex(db, { name: 'accounts_due', table: 'whatsapp_accounts', columns: ['nextSyncAtMs'] });
    await db.schema
      .createTable('templates')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('wabaId', column.text(64), (c) => c.notNull())
      .addColumn('name', column.text(512), (c) => c.notNull())
      .addColumn('language', column.text(32), (c) => c.notNull())
      .addColumn('providerTemplateId', column.text(64))
      .addColumn('status', column.text(32), (c) => c.notNull())
      .addColumn('statusReason', column.longText)
      .addColumn('statusAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('category', column.text(32))
      .addColumn('quality', column.text(32))
      .addColumn('isNamed', column.flag, (c) => c.notNull())
      .addColumn('components', column.longText)
      .addColumn('syncedAtMs', column.timestampMs)
      .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'templates_by_merchant',
      table: 'templates',
      columns: ['merchantId', 'id'],
    });
    await ensureIndex(db, {
      name: 'templates_by_account',
      table: 'templates',
      columns: ['merchantId', 'wabaId', 'id'],
    });
    await ensureIndex(db, { name: 'templates_by_change', table: 'templates', columns: ['updatedAtMs'] });
    await db.schema.dropTable('template_holds').ifExists().execute();
  },
};
