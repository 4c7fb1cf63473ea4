import { columnKinds, ensureColumn, ensureIndex, type Migration } from '@switchyard/database';
import { type Kysely, sql } from 'kysely';

/** When flows are to be told of an account's templates; those that are known already, at once. */
export const toldTemplatesMigration: Migration = {
  async up(db: Kysely<unknown>) {
    const column = columnKinds(db);
    await ensureColumn(db, 'whatsapp_accounts', 'templatesTellAtMs', column.timestampMs);
    await ensureColumn(db, 'whatsapp_accounts', 'templatesRevision', column.timestampMs, (c) =>
      c.notNull().defaultTo(0),
    );
    await ensureIndex(db, {
      name: 'accounts_to_tell',
      table: 'whatsapp_accounts',
      columns: ['templatesTellAtMs'],
    });
    await sql`update whatsapp_accounts set ${sql.ref('templatesTellAtMs')} = 0
      where ${sql.ref('syncedAtMs')} is not null and ${sql.ref('templatesRevision')} = 0`.execute(db);
  },
};
