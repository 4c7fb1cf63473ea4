import { insertIgnore } from '@switchyard/database';
import type { Insertable } from 'kysely';
import type { Identifier } from '../contacts/address.ts';
import { findOwners, findSuppressed, identifierKey, newContact } from '../contacts/contact-store.ts';
import type { Dialect, Executor } from '../database/scope.ts';
import type { MessagesTable } from '../database/tables.ts';
import type { Candidate } from './message-candidate.ts';
import { loadCandidates } from './message-candidate.ts';
import { type OutgoingMessage, type OutgoingProblem, priorityOf } from './outgoing-message.ts';

/** A message to record: its number is known, or it fails for want of one. */
export interface MessageToRecord {
  message: OutgoingMessage;
  senderId: string | null;
  problem: OutgoingProblem | undefined;
}

/** How long a recorded message is left to the job that recorded it before the dispatcher wakes it. */
export const CLAIM_MS = 60_000;

/**
 * Records messages; one that is recorded already stays as it is. People never met before become contacts.
 *
 * Three statements for people who are known (find them, insert, read back), whatever the number of messages.
 *
 * @returns the messages as they are now, in the order given.
 */
export async function recordMessages(
  trx: Executor,
  dialect: Dialect,
  items: readonly MessageToRecord[],
  nowMs: number,
): Promise<Candidate[]> {
  const contactIds = await resolveContacts(trx, items, nowMs);
  const rows = new Map<string, Insertable<MessagesTable>>();
  for (const item of items)
    if (!rows.has(item.message.id))
      rows.set(item.message.id, toRow(item, contactIds.get(item) ?? null, nowMs));
  await insertIgnore(trx, dialect, 'messages', [...rows.values()], ['id']);
  const candidates = await loadCandidates(trx, [...rows.keys()]);
  return items.map(({ message }) => candidates.get(message.id)!);
}

/** The row of a message that nobody has tried to send yet. */
export function toRow(
  { message, senderId, problem }: MessageToRecord,
  contactId: string | null,
  nowMs: number,
): Insertable<MessagesTable> {
  return {
    id: message.id,
    merchantId: message.merchantId,
    direction: 'out',
    contactId,
    senderId,
    addressKind: message.to.kind,
    address: message.to.value,
    type: message.type,
    content: JSON.stringify(message.content),
    state: problem ? 'failed' : 'queued',
    priority: priorityOf(message.lane),
    lane: message.lane,
    origin: message.origin ? JSON.stringify(message.origin) : null,
    replyTo: message.replyTo ?? null,
    onUnknown: message.onUnknown,
    attempts: 0,
    failures: 0,
    turn: 0,
    nextAttemptAtMs: problem ? null : nowMs + CLAIM_MS,
    expiresAtMs: message.expiresAtMs ?? null,
    providerMessageId: null,
    failureCode: problem?.code ?? null,
    failureReason: problem ? `${problem.field} ${problem.message}` : null,
    requestHash: message.requestHash ?? null,
    templateFallback:
      message.templateFallback === undefined ? null : JSON.stringify(message.templateFallback),
    replaced: null,
    sequence: null,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

/** Finds or makes the contact of each message, by its id where the caller gave one of this merchant, else by address. */
async function resolveContacts(
  trx: Executor,
  items: readonly MessageToRecord[],
  nowMs: number,
): Promise<Map<MessageToRecord, string>> {
  const found = new Map<MessageToRecord, string>();
  const named = items.filter(({ message }) => message.contactId !== undefined);
  if (named.length > 0) {
    const ids = [...new Set(named.map(({ message }) => message.contactId!))];
    const known = await trx
      .selectFrom('contacts')
      .select(['id', 'merchantId'])
      .where('id', 'in', ids)
      .execute();
    const merchants = new Map(known.map((row) => [row.id, row.merchantId]));
    for (const item of named)
      if (merchants.get(item.message.contactId!) === item.message.merchantId)
        found.set(item, item.message.contactId!);
  }
  const byMerchant = Map.groupBy(
    items.filter((item) => !found.has(item) && item.problem?.field !== 'to'),
    ({ message }) => message.merchantId,
  );
  for (const [merchantId, group] of byMerchant) {
    const addresses = new Map(group.map(({ message }) => [identifierKey(message.to), message.to]));
    const owners = await findOwners(trx, merchantId, [...addresses.values()]);
    const unknown = [...addresses.values()].filter((address) => !owners.has(identifierKey(address)));
    for (const [key, id] of await createContacts(trx, merchantId, unknown, nowMs)) owners.set(key, id);
    for (const item of group) {
      const owner = owners.get(identifierKey(item.message.to));
      if (owner !== undefined) found.set(item, owner);
    }
  }
  return found;
}

async function createContacts(
  trx: Executor,
  merchantId: string,
  addresses: readonly Identifier[],
  nowMs: number,
): Promise<Map<string, string>> {
  const created = new Map<string, string>();
  if (addresses.length === 0) return created;
  const suppressed = await findSuppressed(trx, merchantId, addresses);
  const contacts = addresses.map((address) =>
    newContact(merchantId, [address], nowMs, { optedOut: suppressed.has(identifierKey(address)) }),
  );
  await trx.insertInto('contacts').values(contacts).execute();
  // A plain insert: when somebody else met the person just now, the transaction fails and finds him the second time.
  await trx
    .insertInto('contact_identifiers')
    .values(
      addresses.map(({ kind, value }, index) => ({
        merchantId,
        kind,
        value,
        contactId: contacts[index]!.id,
        createdAtMs: nowMs,
      })),
    )
    .execute();
  for (const [index, address] of addresses.entries())
    created.set(identifierKey(address), contacts[index]!.id);
  return created;
}
