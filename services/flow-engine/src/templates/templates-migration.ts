import { columnKinds, type Kysely, type Migration } from '@switchyard/database';

/** What accounts have of message templates, as campaign-sender tells. */
export const createTemplateSets: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('templateSets')
      .ifNotExists()
      .addColumn('merchantId', column.id, (each) => each.notNull())
      .addColumn('wabaId', column.id, (each) => each.notNull())
      .addColumn('revision', column.integer, (each) => each.notNull())
      .addColumn('templates', column.longText, (each) => each.notNull())
      .addColumn('updatedAtMs', column.timestampMs, (each) => each.notNull())
      .addPrimaryKeyConstraint('templateSetsKey', ['merchantId', 'wabaId'])
      .execute();
  },
};
