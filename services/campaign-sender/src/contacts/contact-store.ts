import { insertIgnore } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { Selectable } from 'kysely';
import { padKeys } from '../database/pad-keys.ts';
import type { Dialect, Executor } from '../database/scope.ts';
import type { ContactsTable } from '../database/tables.ts';
import type { Identifier, IdentifierKind } from './address.ts';

/** A contact's row. */
export type ContactRow = Selectable<ContactsTable>;

/** Which identifier decides when they lead to different contacts; a username can change hands, so it comes last. */
const strength: Readonly<Record<IdentifierKind, number>> = {
  user_id: 0,
  parent_user_id: 1,
  phone: 2,
  external_id: 3,
  shopify_customer_id: 4,
  email: 5,
  username: 6,
};

/** Under which an identifier is kept in maps. */
export function identifierKey({ kind, value }: { kind: string; value: string }): string {
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
    .where('value', 'in', padKeys([...new Set(identifiers.map(({ value }) => value))]))
    .execute();
  return new Map(rows.map((row) => [identifierKey(row), row.contactId]));
}

/** Finds the owners of identifiers of several merchants, in one statement. @returns by {@link ownerKey}. */
export async function findOwnersOfAll(
  executor: Executor,
  wanted: readonly { merchantId: string; identifiers: readonly Identifier[] }[],
): Promise<Map<string, string>> {
  const keys = new Map(
    wanted.flatMap(({ merchantId, identifiers }) =>
      identifiers.map((each) => [ownerKey(merchantId, each), { merchantId, ...each }] as const),
    ),
  );
  if (keys.size === 0) return new Map();
  const rows = await executor
    .selectFrom('contact_identifiers')
    .select(['merchantId', 'kind', 'value', 'contactId'])
    // One conjunction per key: both databases look each of them up in the primary key, whatever the number of merchants.
    .where((eb) =>
      eb.or(
        [...keys.values()].map(({ merchantId, kind, value }) =>
          eb.and([eb('merchantId', '=', merchantId), eb('kind', '=', kind), eb('value', '=', value)]),
        ),
      ),
    )
    .execute();
  return new Map(rows.map((row) => [ownerKey(row.merchantId, row as unknown as Identifier), row.contactId]));
}

/** Under which the owner of an identifier is kept where several merchants meet. */
export function ownerKey(merchantId: string, { kind, value }: Identifier): string {
  return `${merchantId}/${kind}:${value}`;
}

/** Identifiers of one person, the strongest first. */
export function byStrength(identifiers: readonly Identifier[]): Identifier[] {
  return identifiers.toSorted((a, b) => strength[a.kind] - strength[b.kind]);
}

/**
 * Loads contacts and keeps their rows from others until the transaction ends. In one statement and in the order of their ids, so that
 * two transactions wait for one another instead of deadlocking. Those that are gone are left out.
 */
export async function lockContacts(
  trx: Executor,
  dialect: Dialect,
  ids: readonly string[],
): Promise<ContactRow[]> {
  if (ids.length === 0) return [];
  const query = trx.selectFrom('contacts').selectAll().where('id', 'in', ids).orderBy('id');
  return await (dialect === 'mysql' ? query.forUpdate() : query).execute();
}

/**
 * Loads a contact and keeps its row from others until the transaction ends. One that was found to be another contact leads to that
 * one.
 */
export async function lockContact(
  trx: Executor,
  dialect: Dialect,
  merchantId: string,
  contactId: string,
): Promise<ContactRow | undefined> {
  const [row] = await lockContacts(trx, dialect, [contactId]);
  if (row) return row.merchantId === merchantId ? row : undefined;
  const survivor = await findSurvivor(trx, merchantId, contactId);
  if (survivor === undefined) return undefined;
  const [found] = await lockContacts(trx, dialect, [survivor]);
  return found;
}

/** The contact that a merged one has become. */
export async function findSurvivor(
  executor: Executor,
  merchantId: string,
  contactId: string,
): Promise<string | undefined> {
  const merge = await executor
    .selectFrom('contact_merges')
    .select('survivorId')
    .where('mergedId', '=', contactId)
    .where('merchantId', '=', merchantId)
    .executeTakeFirst();
  return merge?.survivorId;
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
    email: ofKind('email'),
    shopifyCustomerId: ofKind('shopify_customer_id'),
    externalId: ofKind('external_id'),
    language: null,
    timeZone: null,
    optedOut: known.optedOut ? 1 : 0,
    marketingOptedOut: 0,
    tags: '[]',
    attributes: '{}',
    changedAt: null,
    lastSequence: 0,
    heldEvents: 0,
    handler: null,
    handlerUntilMs: null,
    handlerUserId: null,
    handlerReason: null,
    handlerSinceMs: null,
    lastInboundAtMs: null,
    unreadCount: 0,
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

/** Which of the identifiers are suppressed for all messages. @returns their {@link identifierKey}s. */
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
    .where('scope', '=', 'all')
    .where('kind', 'in', [...new Set(identifiers.map(({ kind }) => kind))])
    .where('value', 'in', [...new Set(identifiers.map(({ value }) => value))])
    .execute();
  return new Set(rows.map((row) => `${row.kind}:${row.value}`));
}
