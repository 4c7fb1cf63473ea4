import { type ContactRow, findSurvivor } from '../contacts/contact-store.ts';
import type { Executor } from '../database/scope.ts';
import { recordUnknown } from '../errors.ts';

/** Finds a contact of a merchant; the id of a merged one finds what it has become. @throws RECORD_UNKNOWN */
export async function findContact(db: Executor, merchantId: string, id: string): Promise<ContactRow> {
  const find = (contactId: string) =>
    db
      .selectFrom('contacts')
      .selectAll()
      .where('id', '=', contactId)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
  const row = await find(id);
  if (row) return row;
  const survivor = await findSurvivor(db, merchantId, id);
  const found = survivor === undefined ? undefined : await find(survivor);
  if (!found) throw recordUnknown('there is no contact with this id');
  return found;
}
