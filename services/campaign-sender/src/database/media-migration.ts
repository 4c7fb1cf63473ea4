import { columnKinds, ensureIndex, type Migration } from '@switchyard/database';
import type { Kysely } from 'kysely';

/** Files that messages may carry, and which of them the provider has for which number. */
export const mediaMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('media_files')
      .ifNotExists()
      .addColumn('id', column.id, (c) => c.primaryKey())
      .addColumn('merchantId', column.id, (c) => c.notNull())
      .addColumn('path', column.text(512), (c) => c.notNull())
      .addColumn('sha256', column.text(64), (c) => c.notNull())
      .addColumn('mimeType', column.text(128), (c) => c.notNull())
      .addColumn('bytes', column.integer, (c) => c.notNull())
      .addColumn('fileName', column.text(240))
      .addColumn('createdAtMs', column.timestampMs, (c) => c.notNull())
      .execute();
    await ensureIndex(db, {
      name: 'media_files_by_merchant',
      table: 'media_files',
      columns: ['merchantId', 'id'],
    });
    await db.schema
      .createTable('media_uploads')
      .ifNotExists()
      .addColumn('senderId', column.id, (c) => c.notNull())
      .addColumn('sha256', column.text(64), (c) => c.notNull())
      .addColumn('mimeType', column.text(128), (c) => c.notNull())
      .addColumn('mediaId', column.text(128), (c) => c.notNull())
      .addColumn('uploadedAtMs', column.timestampMs, (c) => c.notNull())
      .addColumn('expiresAtMs', column.timestampMs, (c) => c.notNull())
      .addPrimaryKeyConstraint('media_uploads_key', ['senderId', 'sha256', 'mimeType'])
      .execute();
    await ensureIndex(db, { name: 'media_uploads_by_end', table: 'media_uploads', columns: ['expiresAtMs'] });
  },
};
