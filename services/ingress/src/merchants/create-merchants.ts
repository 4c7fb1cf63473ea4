import { type Database, insertIgnore } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { IngressTables, MerchantRow } from '../database/tables.ts';
import { merchantTaken, merchantUnknown } from '../errors.ts';

/** Whose data an installation holds. */
export interface Merchants {
  /** @param id chosen by the caller, for set-ups that run again; made up otherwise. @throws CodedError MERCHANT_TAKEN */
  create(merchant: { id?: string | undefined; name: string }): Promise<MerchantRow>;
  /** Makes sure that a merchant exists. */
  ensure(merchant: { id: string; name: string }): Promise<void>;
  list(): Promise<MerchantRow[]>;
  /** @throws CodedError MERCHANT_UNKNOWN */
  get(id: string): Promise<MerchantRow>;
}

/** Creates the store of merchants. */
export function createMerchants({ database }: { database: Database<IngressTables> }): Merchants {
  const { db, dialect } = database;
  return {
    async create({ id = createId('mer'), name }) {
      const row = { id, name, createdAtMs: Date.now() };
      if ((await insertIgnore(db, dialect, 'merchants', [row], ['id'])) === 0)
        throw merchantTaken('a merchant of this id exists', { details: { id } });
      return row;
    },
    async ensure({ id, name }) {
      await insertIgnore(db, dialect, 'merchants', [{ id, name, createdAtMs: Date.now() }], ['id']);
    },
    list: () =>
      db.selectFrom('merchants').selectAll().orderBy('createdAtMs').orderBy('id').limit(10_000).execute(),
    async get(id) {
      const row = await db.selectFrom('merchants').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row) throw merchantUnknown('there is no such merchant', { details: { id } });
      return row;
    },
  };
}
