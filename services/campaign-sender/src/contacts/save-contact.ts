import type { Dialect } from '../database/scope.ts';
import { contactInvalid, identifierTaken } from '../errors.ts';
import { type Identifier, type IdentifierKind, parseIdentifier, parseLocalPhone } from './address.ts';
import type { ConsentDecision } from './consents.ts';
import type { PeopleScope } from './contact-book.ts';
import { type Edit, editAttributes, editTags, tellOfContact } from './contact-edits.ts';
import { type AttributeValue, type ContactField, setFields } from './contact-fields.ts';
import { attachIdentifiers, type ContactRow, findOwners, identifierKey } from './contact-store.ts';
import { decide } from './decide.ts';
import { followSuppressions } from './follow-suppressions.ts';
import { meetContacts } from './meet-contacts.ts';

/** What a caller says of a contact. An identifier that is null is taken from it. */
export interface ContactDraft {
  phone?: string | null | undefined;
  userId?: string | null | undefined;
  username?: string | null | undefined;
  email?: string | null | undefined;
  shopifyCustomerId?: string | null | undefined;
  externalId?: string | null | undefined;
  name?: string | null | undefined;
  language?: string | null | undefined;
  timeZone?: string | null | undefined;
  attributes?: Record<string, AttributeValue | null> | undefined;
  tags?: readonly string[] | undefined;
  consents?: readonly ConsentDecision[] | undefined;
}

const kindOf = {
  phone: 'phone',
  userId: 'user_id',
  username: 'username',
  email: 'email',
  shopifyCustomerId: 'shopify_customer_id',
  externalId: 'external_id',
} as const satisfies Partial<Record<ContactField, IdentifierKind>>;
type IdentifierField = keyof typeof kindOf;
const identifierFields = Object.keys(kindOf) as IdentifierField[];

/** A draft's identifiers by field. @param defaultCountry where a phone number without a country code is dialled. @throws CONTACT_INVALID */
export function readIdentifierFields(
  draft: ContactDraft,
  defaultCountry: string | null,
): Map<IdentifierField, Identifier> {
  const found = new Map<IdentifierField, Identifier>();
  for (const field of identifierFields) {
    const text = draft[field];
    if (text === undefined || text === null) continue;
    const phone = field === 'phone' && defaultCountry !== null ? parseLocalPhone(text, defaultCountry) : text;
    const identifier = phone === undefined ? undefined : parseIdentifier(kindOf[field], phone);
    if (!identifier)
      throw contactInvalid(`${field} is none: a phone number needs its country's code`, {
        details: { field },
      });
    found.set(field, identifier);
  }
  return found;
}

/**
 * Makes a contact, or where somebody has one of its identifiers changes that one if the caller wants that.
 *
 * @returns the contact, and whether it is new. @throws CONTACT_INVALID without any identifier; IDENTIFIER_TAKEN.
 */
export async function createContact(
  scope: PeopleScope,
  dialect: Dialect,
  {
    merchantId,
    draft,
    identifiers,
  }: { merchantId: string; draft: ContactDraft; identifiers: Map<IdentifierField, Identifier> },
  { onExisting, edit }: { onExisting: 'refuse' | 'update'; edit: Edit },
  nowMs: number,
): Promise<{ contact: ContactRow; isNew: boolean }> {
  const { trx, people } = scope;
  if (identifiers.size === 0)
    throw contactInvalid('a contact needs an identifier: phone, userId, email, externalId …', {
      details: { field: 'phone' },
    });
  const values = [...identifiers.values()];
  const owners = new Set((await findOwners(trx, merchantId, values)).values());
  const [owner] = owners;
  if (owner !== undefined) {
    if (onExisting === 'refuse' || owners.size > 1)
      throw identifierTaken('there is a contact with these identifiers', {
        details: { contactId: owner, contactIds: [...owners] },
      });
    const contact = (await people.lock(merchantId, [owner])).get(owner);
    if (contact) {
      await changeContact(scope, dialect, contact, { draft, identifiers }, edit, nowMs);
      return { contact, isNew: false };
    }
  }
  const encounter = { merchantId, identifiers: values, source: 'custom', mayMake: true } as const;
  const [contact] = await meetContacts(scope, dialect, [encounter], nowMs);
  if (!contact) throw contactInvalid('nobody could be made of this', { details: { field: 'phone' } });
  await people.save();
  await applyDraft(scope, dialect, contact, draft, edit, nowMs);
  tellOfContact(scope, contact, 'created', edit, nowMs);
  return { contact, isNew: true };
}

/** Changes a contact that is locked. @throws IDENTIFIER_TAKEN, CONTACT_INVALID when it would be left without any identifier. */
export async function changeContact(
  scope: PeopleScope,
  dialect: Dialect,
  contact: ContactRow,
  { draft, identifiers }: { draft: ContactDraft; identifiers: ReadonlyMap<IdentifierField, Identifier> },
  edit: Edit,
  nowMs: number,
): Promise<void> {
  const { trx } = scope;
  const owners = await findOwners(trx, contact.merchantId, [...identifiers.values()]);
  for (const [field, identifier] of identifiers) {
    const owner = owners.get(identifierKey(identifier));
    if (owner !== undefined && owner !== contact.id)
      throw identifierTaken(`${field} is another contact's`, { details: { field, contactId: owner } });
  }
  const unknown = [...identifiers.values()].filter((each) => !owners.has(identifierKey(each)));
  if ((await attachIdentifiers(trx, dialect, contact, unknown, nowMs)) < unknown.length)
    throw identifierTaken('an identifier has just become another contact’s', { details: {} });
  await followSuppressions(scope, dialect, [{ contact, identifiers: unknown }], nowMs);
  for (const [field, { value }] of identifiers)
    if (setFields(contact, { [field]: value }, nowMs).length > 0) scope.people.touch(contact);
  await detach(scope, contact, draft, nowMs);
  await applyDraft(scope, dialect, contact, draft, edit, nowMs);
  tellOfContact(scope, contact, 'updated', edit, nowMs);
}

async function detach(
  scope: PeopleScope,
  contact: ContactRow,
  draft: ContactDraft,
  nowMs: number,
): Promise<void> {
  const dropped = identifierFields.filter((field) => draft[field] === null && contact[field] !== null);
  if (dropped.length === 0) return;
  for (const field of dropped)
    await scope.trx
      .deleteFrom('contact_identifiers')
      .where('merchantId', '=', contact.merchantId)
      .where('kind', '=', kindOf[field])
      .where('value', '=', contact[field]!)
      .where('contactId', '=', contact.id)
      .execute();
  const left = await scope.trx
    .selectFrom('contact_identifiers')
    .select('value')
    .where('contactId', '=', contact.id)
    .limit(1)
    .executeTakeFirst();
  if (!left)
    throw contactInvalid('this is the only identifier of the contact', { details: { field: dropped[0] } });
  setFields(contact, Object.fromEntries(dropped.map((field) => [field, null])), nowMs);
  scope.people.touch(contact);
}

async function applyDraft(
  scope: PeopleScope,
  dialect: Dialect,
  contact: ContactRow,
  { name, language, timeZone, attributes, tags, consents }: ContactDraft,
  edit: Edit,
  nowMs: number,
): Promise<void> {
  if (setFields(contact, { name, language, timeZone }, nowMs).length > 0) scope.people.touch(contact);
  if (attributes) editAttributes(scope, contact, attributes, edit, nowMs);
  if (tags) await editTags(scope, dialect, contact, { add: tags }, edit, nowMs);
  for (const decision of consents ?? []) await decide(scope, dialect, contact, decision, nowMs);
}
