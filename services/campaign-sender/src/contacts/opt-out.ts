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
  decidedAtMs?: number | undefined;
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

/**
 * Ends marketing to a contact; other messages go on. A decision that is older than the one that counts is only remembered.
 *
 * @returns false when it had ended before, or goes on.
 */
export async function optOutOfMarketing(
  { trx, enqueue }: Scope,
  dialect: Dialect,
  contact: Contact,
  { reason, source, decidedAtMs }: OptOutReason,
  nowMs: number,
): Promise<boolean> {
  const wasOut = contact.marketingOptedOut === 1;
  const decision = {
    purpose: 'marketing',
    granted: false,
    source: `${reason}: ${source}`,
    decidedAtMs: decidedAtMs ?? nowMs,
  };
  const counts = await recordConsent(trx, dialect, contact, decision, nowMs);
  if (!counts) return false;
  await suppressAll(trx, dialect, contact, { scope: 'marketing', reason, source }, nowMs);
  if (wasOut) return false;
  tell(enqueue, contact, 'opted_out', { reason, source, scope: 'marketing' }, nowMs);
  return true;
}

/** Begins marketing to a contact again. @returns false for a decision that is older than the one that counts. */
export async function optInToMarketing(
  { trx, enqueue }: Scope,
  dialect: Dialect,
  contact: Contact,
  { source, decidedAtMs }: { source: string; decidedAtMs?: number | undefined },
  nowMs: number,
): Promise<boolean> {
  const wasOut = contact.marketingOptedOut === 1;
  const decision = { purpose: 'marketing', granted: true, source, decidedAtMs: decidedAtMs ?? nowMs };
  if (!(await recordConsent(trx, dialect, contact, decision, nowMs))) return false;
  if (!wasOut) return true;
  await trx
    .deleteFrom('suppressions')
    .where('merchantId', '=', contact.merchantId)
    .where('scope', '=', 'marketing')
    .where('value', 'in', await valuesOf(trx, contact))
    .execute();
  tell(enqueue, contact, 'opted_in', { source, scope: 'marketing' }, nowMs);
  return true;
}

async function valuesOf(trx: Executor, contact: Contact): Promise<string[]> {
  const rows = await trx
    .selectFrom('contact_identifiers')
    .select('value')
    .where('contactId', '=', contact.id)
    .execute();
  // Never empty: nothing is suppressed for who has no identifier.
  return rows.length === 0 ? [''] : rows.map(({ value }) => value);
}

/** What to take back. */
export interface OptIn {
  /** Only suppressions of these reasons; of any where absent. */
  reasons?: readonly string[];
  source: string;
  decidedAtMs?: number | undefined;
}

/**
 * Takes a contact's suppressions back, or those of some reasons; marketing begins again with them.
 *
 * @param contact locked; its row in memory is changed too. @returns whether the contact may be written to again.
 */
export async function optIn(
  scope: Scope,
  dialect: Dialect,
  contact: Contact,
  { reasons, source, decidedAtMs }: OptIn,
  nowMs: number,
): Promise<boolean> {
  const { trx, enqueue } = scope;
  const values = await valuesOf(trx, contact);
  let removal = trx
    .deleteFrom('suppressions')
    .where('merchantId', '=', contact.merchantId)
    .where('scope', '=', 'all')
    .where('value', 'in', values);
  if (reasons) removal = removal.where('reason', 'in', reasons);
  await removal.execute();
  if (contact.marketingOptedOut === 1)
    await optInToMarketing(scope, dialect, contact, { source, decidedAtMs }, nowMs);
  const left = await trx
    .selectFrom('suppressions')
    .select('scope')
    .where('merchantId', '=', contact.merchantId)
    .where('scope', '=', 'all')
    .where('value', 'in', values)
    .limit(1)
    .executeTakeFirst();
  if (left) return false;
  if (contact.optedOut === 0) return true;
  contact.optedOut = 0;
  await trx
    .updateTable('contacts')
    .set({ optedOut: 0, updatedAtMs: nowMs })
    .where('id', '=', contact.id)
    .execute();
  await note(trx, contact, 1, source, decidedAtMs ?? nowMs, nowMs);
  tell(enqueue, contact, 'opted_in', { source, scope: 'all' }, nowMs);
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
