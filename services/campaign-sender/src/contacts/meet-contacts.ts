import { insertIgnore } from '@switchyard/database';
import type { Insertable } from 'kysely';
import type { Dialect } from '../database/scope.ts';
import type { ContactIdentifiersTable } from '../database/tables.ts';
import type { Identifier } from './address.ts';
import type { PeopleScope } from './contact-book.ts';
import { setFields } from './contact-fields.ts';
import { byStrength, type ContactRow, findOwnersOfAll, newContact, ownerKey } from './contact-store.ts';
import { followSuppressions } from './follow-suppressions.ts';
import { type LinkSource, linkContacts } from './link-contacts.ts';

/** A person met in an event: what the event calls him. */
export interface Encounter {
  merchantId: string;
  /** Of one person. With none of them nobody is met. */
  identifiers: readonly Identifier[];
  /** Who says that these identifiers are one person's. */
  source: LinkSource;
  /** Whether a person nobody knows becomes a contact. */
  mayMake: boolean;
}

const LOOKS_MOST = 3;

/**
 * Finds or makes the contacts of events, keeps their rows for this transaction, gives them identifiers that are new, and makes one
 * of two where an event shows that they are the same person.
 *
 * For people who are known: two statements, whatever their number. New identifiers cost two more, new people three.
 *
 * @returns a contact per encounter, the same object for the same person; undefined where nobody is known and none may be made.
 * @throws a unique violation when two transactions meet a new person at once; the next try finds him.
 */
export async function meetContacts(
  scope: PeopleScope,
  dialect: Dialect,
  encounters: readonly Encounter[],
  nowMs: number,
): Promise<(ContactRow | undefined)[]> {
  const { trx, people } = scope;
  const owners = await lockOwners(scope, encounters);
  const made: Insertable<ContactIdentifiersTable>[] = [];
  const attached: Insertable<ContactIdentifiersTable>[] = [];
  const news: { contact: ContactRow; identifiers: Identifier[] }[] = [];

  for (const { merchantId, identifiers, mayMake } of encounters) {
    const own = byStrength(identifiers).map((each) => owners.get(ownerKey(merchantId, each)));
    let contact = own.find((owner) => owner !== undefined);
    const isNew = contact === undefined;
    if (contact === undefined) {
      if (!mayMake || identifiers.length === 0) continue;
      contact = newContact(merchantId, identifiers, nowMs);
      people.add(contact);
    }
    const unowned = identifiers.filter((each) => !owners.has(ownerKey(merchantId, each)));
    if (unowned.length === 0) continue;
    news.push({ contact, identifiers: unowned });
    for (const each of unowned) {
      owners.set(ownerKey(merchantId, each), contact);
      (isNew ? made : attached).push({ merchantId, ...each, contactId: contact.id, createdAtMs: nowMs });
    }
  }
  // A plain insert: when somebody else met a new person just now, the transaction fails, and finds him the second time.
  if (made.length > 0) await trx.insertInto('contact_identifiers').values(made).execute();
  await insertIgnore(trx, dialect, 'contact_identifiers', attached, ['merchantId', 'kind', 'value']);

  const met: (ContactRow | undefined)[] = [];
  for (const encounter of encounters) met.push(await settle(scope, dialect, encounter, owners, nowMs));
  await followSuppressions(scope, dialect, news, nowMs);
  return met.map((contact) => contact && people.current(contact));
}

type Owners = Map<string, ContactRow>;

/** Locks all owners. An owner that is gone was merged since it was read, so the owners are read again. */
async function lockOwners({ trx, people }: PeopleScope, encounters: readonly Encounter[]): Promise<Owners> {
  for (let look = 1; ; look += 1) {
    const ids = await findOwnersOfAll(trx, encounters);
    const rows = await people.lockAll([...new Set(ids.values())]);
    const owners: Owners = new Map();
    for (const [key, id] of ids) {
      const row = rows.get(id);
      if (row) owners.set(key, row);
    }
    if (owners.size === ids.size || look === LOOKS_MOST) return owners;
  }
}

function ownerOf({ merchantId, identifiers }: Encounter, owners: Owners): ContactRow | undefined {
  for (const each of byStrength(identifiers)) {
    const owner = owners.get(ownerKey(merchantId, each));
    if (owner) return owner;
  }
  return undefined;
}

/** Joins what belongs together, and says which identifiers are the person's current ones. */
async function settle(
  scope: PeopleScope,
  dialect: Dialect,
  encounter: Encounter,
  owners: Owners,
  nowMs: number,
): Promise<ContactRow | undefined> {
  const { merchantId, identifiers } = encounter;
  let contact = ownerOf(encounter, owners);
  if (!contact) return undefined;
  for (const identifier of byStrength(identifiers)) {
    const other = owners.get(ownerKey(merchantId, identifier));
    if (!other || other === contact) continue;
    const linked = await linkContacts(
      scope,
      dialect,
      { contact, other, identifier, source: encounter.source },
      nowMs,
    );
    if (linked.kind === 'merged') {
      for (const [key, owner] of owners)
        if (owner === contact || owner === other) owners.set(key, linked.contact);
      contact = linked.contact;
    }
    if (linked.kind === 'moved') owners.set(ownerKey(merchantId, identifier), contact);
  }
  const own = (kind: Identifier['kind']) =>
    identifiers.find((each) => each.kind === kind && owners.get(ownerKey(merchantId, each)) === contact)
      ?.value;
  const changed = setFields(
    contact,
    {
      phone: own('phone'),
      userId: own('user_id'),
      username: own('username'),
      email: own('email'),
      shopifyCustomerId: own('shopify_customer_id'),
      externalId: own('external_id'),
    },
    nowMs,
  );
  if (changed.length > 0) scope.people.touch(contact);
  return contact;
}
