import { columnKinds, type Kysely, type Migration } from '@switchyard/database';

/** Secrets of merchants, for their flows' HTTP requests. */
export const createSecrets: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('flowSecrets')
      .ifNotExists()
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('name', column.text(64), (each) => each.notNull())
      .addColumn('valueSealed', column.longText, (each) => each.notNull())
      .addColumn('createdAtMs', column.timestampMs, (each) => each.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (each) => each.notNull())
      .addPrimaryKeyConstraint('flowSecretsKey', ['merchantId', 'name'])
      .execute();
  },
};
