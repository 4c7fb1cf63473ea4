import type { Dialect } from '../database/scope.ts';
import type { Identifier } from './address.ts';
import type { PeopleScope } from './contact-book.ts';
import { type ContactField, setFields } from './contact-fields.ts';
import type { ContactRow } from './contact-store.ts';
import { mergeContacts } from './merge-contacts.ts';

/** Who says that identifiers are one person's: the provider of its own, a shop or the merchant's systems of what they were told. */
export type LinkSource = 'provider' | 'shopify' | 'custom';

/** What became of a link. */
export type Linked = { kind: 'merged'; contact: ContactRow } | { kind: 'moved' } | { kind: 'left' };

const fieldOf: Partial<Record<Identifier['kind'], ContactField>> = {
  phone: 'phone',
  user_id: 'userId',
  username: 'username',
  email: 'email',
  shopify_customer_id: 'shopifyCustomerId',
  external_id: 'externalId',
};

/**
 * Decides what it means that an identifier of one contact came together with those of another:
 *
 * - the same person, known twice: the two become one;
 * - an identifier that has changed hands (a username, a phone number that the provider now shows with another user id): it moves;
 * - a shop's word against what is known for sure (two user ids, two phone numbers): all stays, the stronger contact is meant.
 *
 * @param link.contact the owner of the strongest identifier. @param link.other the owner of `identifier`.
 */
export async function linkContacts(
  scope: PeopleScope,
  dialect: Dialect,
  link: { contact: ContactRow; other: ContactRow; identifier: Identifier; source: LinkSource },
  nowMs: number,
): Promise<Linked> {
  const { contact, other, identifier, source } = link;
  if (isSamePerson(contact, other, identifier, source)) {
    // Merging works on rows and identifiers that are written.
    await scope.people.save();
    const cause = source === 'provider' ? 'message' : source;
    return {
      kind: 'merged',
      contact: await mergeContacts(scope, dialect, [contact, other], cause, nowMs),
    };
  }
  if (source !== 'provider') return { kind: 'left' };
  await scope.trx
    .updateTable('contact_identifiers')
    .set({ contactId: contact.id, createdAtMs: nowMs })
    .where('merchantId', '=', contact.merchantId)
    .where('kind', '=', identifier.kind)
    .where('value', '=', identifier.value)
    .execute();
  const field = fieldOf[identifier.kind];
  if (field && other[field] === identifier.value) {
    setFields(other, { [field]: null }, nowMs);
    scope.people.touch(other);
  }
  return { kind: 'moved' };
}

function isSamePerson(a: ContactRow, b: ContactRow, { kind }: Identifier, source: LinkSource): boolean {
  // One person has a user id per portfolio, and the same parent above them.
  if (kind === 'parent_user_id') return true;
  if (differ(a.userId, b.userId)) return false;
  // A username is anybody's who takes it: it proves nothing about somebody known otherwise.
  if (kind === 'username') return b.userId === null && b.phone === null;
  return source === 'provider' || !(differ(a.phone, b.phone) || differ(a.externalId, b.externalId));
}

function differ(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a !== b;
}
