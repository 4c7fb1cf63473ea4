import { columnKinds, ensureColumn, type Kysely, type Migration } from '@switchyard/database';

/** How merchants' own systems sign. */
export const signaturesMigration: Migration = {
  async up(db: Kysely<unknown>) {
    await ensureColumn(db, 'apps', 'signature', columnKinds(db).longText);
  },
};
