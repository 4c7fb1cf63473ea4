import { createId } from '@switchyard/runtime';
import type { Dialect, Executor, Scope } from '../database/scope.ts';
import { publishEvents } from '../messages/merchant-events.ts';
import { recordConsent } from './consents.ts';
import type { ContactRow } from './contact-store.ts';
import { suppressAll } from './suppress.ts';

/** Why nothing is sent to an address. */
export interface OptOutReason {
  /** `keyword`, `flow`, `provider`, `preference`, `person`. */
  reason: string;
  /** Who or what says so. */
  source: string;
  /** When the person said so; now by default. */
  decidedAtMs?: number;
}

type Contact = Pick<ContactRow, 'id' | 'merchantId' | 'optedOut' | 'marketingOptedOut'>;

/**
 * Ends all messages to a contact: each of its identifiers is suppressed, the contact is marked, the merchant is told once.
 *
 * @param contact locked; its row in memory is marked too. @returns false when it had opted out before.
 */
export async function optOut(
  { trx, enqueue }: Scope,
  dialect: Dialect,
  contact: Contact,
  { reason, source, decidedAtMs }: OptOutReason,
  nowMs: number,
): Promise<boolean> {
  await suppressAll(trx, dialect, contact, { scope: 'all', reason, source }, nowMs);
  if (contact.optedOut === 1) return false;
  contact.optedOut = 1;
  await trx
    .updateTable('contacts')
    .set({ optedOut: 1, updatedAtMs: nowMs })
    .where('id', '=', contact.id)
    .execute();
  await note(trx, contact, 0, `${reason}: ${source}`, decidedAtMs ?? nowMs, nowMs);
  tell(enqueue, contact, 'opted_out', { reason, source, scope: 'all' }, nowMs);
  return true;
}

/** Ends marketing to a contact; other messages go on. @returns false when it had ended before. */
export async function optOutOfMarketing(
  { trx, enqueue }: Scope,
  dialect: Dialect,
  contact: Contact,
  { reason, source, decidedAtMs }: OptOutReason,
  nowMs: number,
): Promise<boolean> {
  await suppressAll(trx, dialect, contact, { scope: 'marketing', reason, source }, nowMs);
  const wasOut = contact.marketingOptedOut === 1;
  const decision = {
    purpose: 'marketing',
    granted: false,
    source: `${reason}: ${source}`,
    decidedAtMs: decidedAtMs ?? nowMs,
  };
  await recordConsent(trx, dialect, contact, decision, nowMs);
  if (wasOut || contact.marketingOptedOut === 0) return false;
  tell(enqueue, contact, 'opted_out', { reason, source, scope: 'marketing' }, nowMs);
  return true;
}

/** What to take back. */
export interface OptIn {
  /** Only suppressions of these reasons; of any where absent. */
  reasons?: readonly string[];
  /** Only those of marketing. */
  scope?: 'marketing';
  source: string;
  decidedAtMs?: number;
}

/**
 * Takes a contact's suppressions back, or some of them.
 *
 * @param contact locked; its row in memory is changed too. @returns whether the contact may be written to again.
 */
export async function optIn(
  { trx, enqueue }: Scope,
  dialect: Dialect,
  contact: Contact,
  { reasons, scope, source, decidedAtMs }: OptIn,
  nowMs: number,
): Promise<boolean> {
  const identifiers = await trx
    .selectFrom('contact_identifiers')
    .select('value')
    .where('contactId', '=', contact.id)
    .execute();
  const values = identifiers.map(({ value }) => value);
  if (values.length === 0) return false;
  let removal = trx
    .deleteFrom('suppressions')
    .where('merchantId', '=', contact.merchantId)
    .where('value', 'in', values);
  if (reasons) removal = removal.where('reason', 'in', reasons);
  if (scope) removal = removal.where('scope', '=', scope);
  await removal.execute();
  const left = await trx
    .selectFrom('suppressions')
    .select('scope')
    .where('merchantId', '=', contact.merchantId)
    .where('value', 'in', values)
    .execute();
  if (left.length === 0 && contact.marketingOptedOut === 1) {
    const decision = { purpose: 'marketing', granted: true, source, decidedAtMs: decidedAtMs ?? nowMs };
    await recordConsent(trx, dialect, contact, decision, nowMs);
  }
  if (left.some((row) => row.scope === 'all')) return false;
  if (contact.optedOut === 0) return true;
  contact.optedOut = 0;
  await trx
    .updateTable('contacts')
    .set({ optedOut: 0, updatedAtMs: nowMs })
    .where('id', '=', contact.id)
    .execute();
  await note(trx, contact, 1, source, decidedAtMs ?? nowMs, nowMs);
  tell(enqueue, contact, 'opted_in', { source }, nowMs);
  return true;
}

/** Remembers the decision for good, with its source and time. */
async function note(
  trx: Executor,
  contact: Contact,
  granted: 0 | 1,
  source: string,
  decidedAtMs: number,
  nowMs: number,
): Promise<void> {
  await trx
    .insertInto('consent_history')
    .values({
      id: createId('cns', nowMs),
      merchantId: contact.merchantId,
      contactId: contact.id,
      purpose: 'all',
      granted,
      source,
      decidedAtMs,
      recordedAtMs: nowMs,
    })
    .execute();
}

function tell(
  enqueue: Scope['enqueue'],
  contact: Contact,
  what: 'opted_out' | 'opted_in',
  data: Record<string, string>,
  nowMs: number,
): void {
  publishEvents(enqueue, contact.merchantId, [
    {
      id: `${contact.id}_${what}_${nowMs}`,
      type: `contact.${what}`,
      occurredAtMs: nowMs,
      data: { contactId: contact.id, ...data },
    },
  ]);
}
