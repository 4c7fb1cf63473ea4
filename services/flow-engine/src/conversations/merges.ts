import type { Leases, Transaction } from '@switchyard/database';
import type { ConversationsTable, FlowTables, InboxTable } from '../database/tables.ts';
import type { ContactSnapshot } from '../runs/effect-jobs.ts';
import { type ContactKey, type InboxPayloads, leaseName } from './create-inbox.ts';

/**
 * Events of a contact that was merged away go before all that comes for the one that stays, in their own order: their places are
 * moved below every place that there is.
 */
const BEFORE_ALL = 2 ** 40;
/** How often it is looked whether the merged contact's own line has come to its end. */
const LOOK_AGAIN_MS = 500;

/** Word that a contact has become another's. */
export interface Merge {
  /** The one that is no more. */
  merged: ContactKey;
  /** The place of the last event that was passed on for it; undefined: not told. */
  mergedSequence: number | undefined;
  /** The one that stays, as it is now. */
  contact: ContactSnapshot;
  /** Who answers the person now. */
  handler: 'person' | 'automation' | undefined;
}

/** What an event says of a merge; undefined for every other input. */
export function mergeOf(
  row: Pick<InboxTable, 'kind' | 'payload' | 'merchantId' | 'contactId'>,
): Merge | undefined {
  // Cheap for the many that are none.
  if (row.kind !== 'event' || !row.payload.includes('"contact.merged"')) return undefined;
  const { kind, name, body, contact, handler } = JSON.parse(row.payload) as InboxPayloads['event'];
  if (kind !== 'contact' || name !== 'contact.merged' || body === undefined) return undefined;
  const { mergedContactId, mergedSequence } = JSON.parse(body) as Record<string, unknown>;
  if (typeof mergedContactId !== 'string' || mergedContactId === row.contactId) return undefined;
  return {
    merged: { merchantId: row.merchantId, contactId: mergedContactId },
    mergedSequence: typeof mergedSequence === 'number' ? mergedSequence : undefined,
    contact,
    handler,
  };
}

/** Where a merged contact's conversation is now; undefined for one that was not merged. */
export function survivorOf(conversation: ConversationsTable | undefined): ContactKey | undefined {
  if (conversation?.mergedIntoId == null || conversation.mergedIntoId === conversation.contactId)
    return undefined;
  return { merchantId: conversation.merchantId, contactId: conversation.mergedIntoId };
}

/** An input of a merged contact as one of the contact that it has become. It goes before what that one has been told since. */
export function redirect(row: InboxTable, to: ContactKey): InboxTable {
  const payload = JSON.parse(row.payload) as { contactId?: string; contact?: ContactSnapshot };
  return {
    ...row,
    contactId: to.contactId,
    sequence: row.sequence > 0 ? row.sequence - BEFORE_ALL : row.sequence,
    payload: JSON.stringify({
      ...payload,
      ...(payload.contactId === undefined ? {} : { contactId: to.contactId }),
      ...(payload.contact === undefined ? {} : { contact: { ...payload.contact, id: to.contactId } }),
    }),
    lookAtMs: Date.now(),
  };
}

/**
 * Takes the merged contact's lease for this transaction.
 *
 * @param at.waitUntilMs what has not come for it until then is not waited for any longer.
 * @returns when to look again, while another process is at work for it, or events are on their way that were accepted before the merge.
 */
export async function claimMerged(
  trx: Transaction<FlowTables>,
  leases: Leases,
  { merged, mergedSequence = 0 }: Merge,
  { nowMs, waitUntilMs }: { nowMs: number; waitUntilMs: number },
): Promise<number | undefined> {
  const lookAgainMs = nowMs + LOOK_AGAIN_MS;
  const name = leaseName(merged);
  if (!(await leases.claim(trx, [name])).has(name)) return lookAgainMs;
  if (nowMs >= waitUntilMs) return undefined;
  const conversation = await trx
    .selectFrom('conversations')
    .select('lastSequence')
    .where('merchantId', '=', merged.merchantId)
    .where('contactId', '=', merged.contactId)
    .executeTakeFirst();
  const last = conversation?.lastSequence ?? 0;
  const { count } = await trx
    .selectFrom('inbox')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('merchantId', '=', merged.merchantId)
    .where('contactId', '=', merged.contactId)
    .where('sequence', '>', last)
    .executeTakeFirstOrThrow();
  return last + Number(count) >= mergedSequence ? undefined : Math.min(lookAgainMs, waitUntilMs);
}
