import { insertIgnore } from '@switchyard/database';
import type { Dialect, Executor, Scope } from '../database/scope.ts';
import { publishEvents } from '../messages/merchant-events.ts';
import type { ContactRow } from './contact-store.ts';

/** Why nothing is sent to an address. */
export interface OptOutReason {
  /** `keyword`, `flow`, `provider`, `preference`, `person`. */
  reason: string;
  /** Who or what says so. */
  source: string;
}

/**
 * Ends all messages to a contact: each of its identifiers is suppressed, the contact is marked, the merchant is told once.
 *
 * @returns false when it had opted out before.
 */
export async function optOut(
  { trx, enqueue }: Scope,
  dialect: Dialect,
  contact: Pick<ContactRow, 'id' | 'merchantId' | 'optedOut'>,
  { reason, source }: OptOutReason,
  nowMs: number,
): Promise<boolean> {
  const identifiers = await identifiersOf(trx, contact.id);
  if (identifiers.length > 0)
    await insertIgnore(
      trx,
      dialect,
      'suppressions',
      identifiers.map(({ kind, value }) => ({
        merchantId: contact.merchantId,
        kind,
        value,
        reason,
        source,
        createdAtMs: nowMs,
      })),
      ['merchantId', 'kind', 'value'],
    );
  if (contact.optedOut === 1) return false;
  await trx
    .updateTable('contacts')
    .set({ optedOut: 1, updatedAtMs: nowMs })
    .where('id', '=', contact.id)
    .execute();
  publishEvents(enqueue, contact.merchantId, [
    {
      id: `${contact.id}_opted_out_${nowMs}`,
      type: 'contact.opted_out',
      occurredAtMs: nowMs,
      data: { contactId: contact.id, reason, source },
    },
  ]);
  return true;
}

/**
 * Takes a contact's suppressions back, or those of some reasons.
 *
 * @returns whether nothing suppresses the contact any more.
 */
export async function optIn(
  trx: Executor,
  contact: Pick<ContactRow, 'id' | 'merchantId'>,
  reasons: readonly string[] | undefined,
  nowMs: number,
): Promise<boolean> {
  const values = (await identifiersOf(trx, contact.id)).map(({ value }) => value);
  if (values.length === 0) return false;
  let removal = trx
    .deleteFrom('suppressions')
    .where('merchantId', '=', contact.merchantId)
    .where('value', 'in', values);
  if (reasons) removal = removal.where('reason', 'in', reasons);
  await removal.execute();
  const left = await trx
    .selectFrom('suppressions')
    .select('value')
    .where('merchantId', '=', contact.merchantId)
    .where('value', 'in', values)
    .limit(1)
    .executeTakeFirst();
  if (left) return false;
  await trx
    .updateTable('contacts')
    .set({ optedOut: 0, updatedAtMs: nowMs })
    .where('id', '=', contact.id)
    .execute();
  return true;
}

async function identifiersOf(trx: Executor, contactId: string) {
  return await trx
    .selectFrom('contact_identifiers')
    .select(['kind', 'value'])
    .where('contactId', '=', contactId)
    .execute();
}
