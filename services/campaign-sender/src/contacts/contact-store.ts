import { insertIgnore } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { Selectable } from 'kysely';
import type { Dialect, Executor } from '../database/scope.ts';
import type { ContactsTable } from '../database/tables.ts';
import type { Identifier, IdentifierKind } from './address.ts';

/** A contact's row. */
export type ContactRow = Selectable<ContactsTable>;

/** Which identifier decides when they lead to different contacts; a username can change hands, so it comes last. */
const strength: Readonly<Record<IdentifierKind, number>> = {
  user_id: 0,
  phone: 1,
  parent_user_id: 2,
  username: 3,
};

/** Under which an identifier is kept in maps. */
export function identifierKey({ kind, value }: Identifier): string {
  return `${kind}:${value}`;
}

/** Finds the owners of identifiers. @returns by {@link identifierKey}. */
export async function findOwners(
  executor: Executor,
  merchantId: string,
  identifiers: readonly Identifier[],
): Promise<Map<string, string>> {
  if (identifiers.length === 0) return new Map();
  const rows = await executor
    .selectFrom('contact_identifiers')
    .select(['kind', 'value', 'contactId'])
    .where('merchantId', '=', merchantId)
    .where('kind', 'in', [...new Set(identifiers.map(({ kind }) => kind))])
    .where('value', 'in', [...new Set(identifiers.map(({ value }) => value))])
    .execute();
  return new Map(rows.map((row) => [`${row.kind}:${row.value}`, row.contactId]));
}

/** Chooses the contact among the owners of one person's identifiers: the strongest identifier wins. */
export function chooseOwner(
  owners: ReadonlyMap<string, string>,
  identifiers: readonly Identifier[],
): string | undefined {
  const ordered = identifiers.toSorted((a, b) => strength[a.kind] - strength[b.kind]);
  for (const each of ordered) {
    const owner = owners.get(identifierKey(each));
    if (owner !== undefined) return owner;
  }
  return undefined;
}

/** Loads a contact and keeps its row from others until the transaction ends. */
export async function lockContact(
  trx: Executor,
  dialect: Dialect,
  merchantId: string,
  contactId: string,
): Promise<ContactRow | undefined> {
  const query = trx
    .selectFrom('contacts')
    .selectAll()
    .where('id', '=', contactId)
    .where('merchantId', '=', merchantId);
  return await (dialect === 'mysql' ? query.forUpdate() : query).executeTakeFirst();
}

/** The row of a person never met before. */
export function newContact(
  merchantId: string,
  identifiers: readonly Identifier[],
  nowMs: number,
  known: { name?: string | undefined; optedOut?: boolean } = {},
): ContactRow {
  const ofKind = (kind: IdentifierKind) => identifiers.find((each) => each.kind === kind)?.value ?? null;
  return {
    id: createId('con', nowMs),
    merchantId,
    name: known.name ?? null,
    phone: ofKind('phone'),
    userId: ofKind('user_id'),
    username: ofKind('username'),
    language: null,
    timeZone: null,
    optedOut: known.optedOut ? 1 : 0,
    tags: '[]',
    attributes: '{}',
    lastSequence: 0,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

/**
 * Gives identifiers to a contact. One that another contact has stays there: merging two people is a decision of its own.
 *
 * @returns how many are new.
 */
export async function attachIdentifiers(
  trx: Executor,
  dialect: Dialect,
  contact: { id: string; merchantId: string },
  identifiers: readonly Identifier[],
  nowMs: number,
): Promise<number> {
  if (identifiers.length === 0) return 0;
  const rows = identifiers.map(({ kind, value }) => ({
    merchantId: contact.merchantId,
    kind,
    value,
    contactId: contact.id,
    createdAtMs: nowMs,
  }));
  return await insertIgnore(trx, dialect, 'contact_identifiers', rows, ['merchantId', 'kind', 'value']);
}

/** Which of the identifiers are suppressed. @returns their {@link identifierKey}s. */
export async function findSuppressed(
  executor: Executor,
  merchantId: string,
  identifiers: readonly Identifier[],
): Promise<Set<string>> {
  if (identifiers.length === 0) return new Set();
  const rows = await executor
    .selectFrom('suppressions')
    .select(['kind', 'value'])
    .where('merchantId', '=', merchantId)
    .where('value', 'in', [...new Set(identifiers.map(({ value }) => value))])
    .execute();
  return new Set(rows.map((row) => `${row.kind}:${row.value}`));
}
