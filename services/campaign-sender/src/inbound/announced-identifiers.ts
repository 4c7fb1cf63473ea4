import type { Identifier } from '../contacts/address.ts';
import type { PeopleScope } from '../contacts/contact-book.ts';
import { setFields } from '../contacts/contact-fields.ts';
import { attachIdentifiers, type ContactRow, findOwners, identifierKey } from '../contacts/contact-store.ts';
import { followSuppressions } from '../contacts/follow-suppressions.ts';
import { type MergeCause, mergeContacts } from '../contacts/merge-contacts.ts';
import type { Dialect } from '../database/scope.ts';

/**
 * Follows the provider's word that a person has another number or user id from now on. If somebody is known by it already, the two
 * are one person. The old identifiers still lead to the contact: what is on its way under them arrives.
 *
 * @param contact locked in the book. @returns the contact as it now is; another one where the two became that one.
 */
export async function followAnnounced(
  scope: PeopleScope,
  dialect: Dialect,
  contact: ContactRow,
  announced: readonly Identifier[],
  cause: MergeCause,
  nowMs: number,
): Promise<ContactRow> {
  const { trx, people } = scope;
  const { merchantId } = contact;
  const owners = await findOwners(trx, merchantId, announced);
  let current = contact;
  for (const identifier of announced) {
    const owner = owners.get(identifierKey(identifier));
    if (owner === undefined || owner === current.id) continue;
    await people.save();
    const other = (await people.lock(merchantId, [owner])).get(owner);
    if (other) current = await mergeContacts(scope, dialect, [current, other], cause, nowMs);
  }
  const unknown = announced.filter((each) => !owners.has(identifierKey(each)));
  await attachIdentifiers(trx, dialect, current, unknown, nowMs);
  const own = (kind: Identifier['kind']) => announced.find((each) => each.kind === kind)?.value;
  setFields(current, { phone: own('phone'), userId: own('user_id'), username: own('username') }, nowMs);
  people.touch(current);
  await followSuppressions(scope, dialect, [{ contact: current, identifiers: unknown }], nowMs);
  return current;
}
