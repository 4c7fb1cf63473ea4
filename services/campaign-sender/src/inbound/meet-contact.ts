import type { Identifier } from '../contacts/address.ts';
import {
  attachIdentifiers,
  type ContactRow,
  chooseOwner,
  findOwners,
  findSuppressed,
  identifierKey,
  lockContact,
  newContact,
} from '../contacts/contact-store.ts';
import type { Dialect, Scope } from '../database/scope.ts';

/**
 * Finds or makes the contact of an inbound event, keeps its row for this transaction, gives it the event's sequence number and what
 * is new of its profile.
 *
 * @param identifiers at least one. @returns the row as it now is; `lastSequence` is the event's number.
 * @throws a unique violation when two processes meet a new person at once; the job's next try finds him.
 */
export async function meetContact(
  { trx }: Scope,
  dialect: Dialect,
  merchantId: string,
  identifiers: readonly Identifier[],
  nowMs: number,
  profile: { name?: string | undefined },
): Promise<ContactRow> {
  const owners = await findOwners(trx, merchantId, identifiers);
  const owner = chooseOwner(owners, identifiers);
  const known = owner === undefined ? undefined : await lockContact(trx, dialect, merchantId, owner);
  if (!known) {
    const suppressed = await findSuppressed(trx, merchantId, identifiers);
    const created = newContact(merchantId, identifiers, nowMs, {
      name: profile.name,
      optedOut: identifiers.some((each) => suppressed.has(identifierKey(each))),
    });
    created.lastSequence = 1;
    await trx.insertInto('contacts').values(created).execute();
    await trx
      .insertInto('contact_identifiers')
      .values(
        identifiers.map(({ kind, value }) => ({
          merchantId,
          kind,
          value,
          contactId: created.id,
          createdAtMs: nowMs,
        })),
      )
      .execute();
    return created;
  }
  const unknown = identifiers.filter((each) => !owners.has(identifierKey(each)));
  await attachIdentifiers(trx, dialect, known, unknown, nowMs);
  const own = (kind: Identifier['kind']) =>
    identifiers.find(
      (each) => each.kind === kind && (owners.get(identifierKey(each)) ?? known.id) === known.id,
    )?.value;
  const changed: ContactRow = {
    ...known,
    name: profile.name ?? known.name,
    phone: own('phone') ?? known.phone,
    userId: own('user_id') ?? known.userId,
    username: own('username') ?? known.username,
    lastSequence: known.lastSequence + 1,
    updatedAtMs: nowMs,
  };
  const { name, phone, userId, username, lastSequence, updatedAtMs } = changed;
  await trx
    .updateTable('contacts')
    .set({ name, phone, userId, username, lastSequence, updatedAtMs })
    .where('id', '=', known.id)
    .execute();
  return changed;
}
