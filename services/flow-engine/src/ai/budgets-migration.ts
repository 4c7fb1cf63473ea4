import { columnKinds, type Kysely, type Migration } from '@switchyard/database';

/** What merchants may use up of AI on one day. */
export const createAiBudgetTable: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await db.schema
      .createTable('aiBudgets')
      .ifNotExists()
      .addColumn('merchantId', column.id, (each) => each.primaryKey())
      .addColumn('dailyTokens', column.integer)
      .addColumn('dailyCostMicros', column.integer)
      .addColumn('updatedAtMs', column.timestampMs, (each) => each.notNull())
      .execute();
  },
};
