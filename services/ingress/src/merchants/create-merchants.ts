import { type Database, insertIgnore } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { IngressTables, MerchantRow } from '../database/tables.ts';
import { merchantTaken, merchantUnknown } from '../errors.ts';
import type { Directory } from './create-directory.ts';

/** Whose data an installation holds. */
export interface Merchants {
  /** @param id chosen by the caller, for set-ups that run again; made up otherwise. @throws CodedError MERCHANT_TAKEN */
  create(merchant: { id?: string | undefined; name: string }): Promise<MerchantRow>;
  /** Makes sure that a merchant exists. */
  ensure(merchant: { id: string; name: string }): Promise<void>;
  list(): Promise<MerchantRow[]>;
  /** Whether the merchant's webhooks are archived. @throws CodedError MERCHANT_UNKNOWN */
  setArchive(id: string, isOn: boolean): Promise<void>;
  /** @throws CodedError MERCHANT_UNKNOWN */
  get(id: string): Promise<MerchantRow>;
}

/** Creates the store of merchants. */
export function createMerchants({
  database,
  directory,
}: {
  database: Database<IngressTables>;
  directory: Pick<Directory, 'forget'>;
}): Merchants {
  const { db, dialect } = database;

  async function get(id: string): Promise<MerchantRow> {
    const row = await db.selectFrom('merchants').selectAll().where('id', '=', id).executeTakeFirst();
    if (!row) throw merchantUnknown('there is no such merchant', { details: { id } });
    return row;
  }

  return {
    async create({ id = createId('mer'), name }) {
      const row = { id, name, archiveOff: 0, createdAtMs: Date.now() };
      if ((await insertIgnore(db, dialect, 'merchants', [row], ['id'])) === 0)
        throw merchantTaken('a merchant of this id exists', { details: { id } });
      return row;
    },
    async ensure({ id, name }) {
      await insertIgnore(
        db,
        dialect,
        'merchants',
        [{ id, name, archiveOff: 0, createdAtMs: Date.now() }],
        ['id'],
      );
    },
    list: () =>
      db.selectFrom('merchants').selectAll().orderBy('createdAtMs').orderBy('id').limit(10_000).execute(),
    get,
    async setArchive(id, isOn) {
      await get(id);
      await db
        .updateTable('merchants')
        .set({ archiveOff: isOn ? 0 : 1 })
        .where('id', '=', id)
        .execute();
      directory.forget();
    },
  };
}
