import { upsert } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { Dialect, Executor } from '../database/scope.ts';
import type { ContactRow } from './contact-store.ts';
import { laterDecision } from './merge-consents.ts';

/** A person's decision for a purpose. */
export interface ConsentDecision {
  /** `marketing` or `service`. */
  purpose: string;
  granted: boolean;
  /** Who or what says so: a form, a flow, the provider. */
  source: string;
  decidedAtMs: number;
}

/**
 * Records a decision: always in the history; as the one that counts where no later one is known, since jobs may overtake one another.
 *
 * @param contact locked; `marketingOptedOut` of its row in memory follows. @returns whether it is the one that counts.
 */
export async function recordConsent(
  trx: Executor,
  dialect: Dialect,
  contact: Pick<ContactRow, 'id' | 'merchantId' | 'marketingOptedOut'>,
  { purpose, granted, source, decidedAtMs }: ConsentDecision,
  nowMs: number,
): Promise<boolean> {
  const { id: contactId, merchantId } = contact;
  const row = { contactId, purpose, merchantId, granted: granted ? 1 : 0, source, decidedAtMs } as const;
  await trx
    .insertInto('consent_history')
    .values({ id: createId('cns', nowMs), ...row, recordedAtMs: nowMs })
    .execute();
  const known = await trx
    .selectFrom('contact_consents')
    .selectAll()
    .where('contactId', '=', contactId)
    .where('purpose', '=', purpose)
    .executeTakeFirst();
  if (known && laterDecision(known, row) === known) return false;
  await upsert(
    trx,
    dialect,
    'contact_consents',
    [row],
    ['contactId', 'purpose'],
    ['granted', 'source', 'decidedAtMs'],
  );
  if (purpose !== 'marketing') return true;
  contact.marketingOptedOut = granted ? 0 : 1;
  await trx
    .updateTable('contacts')
    .set({ marketingOptedOut: contact.marketingOptedOut, updatedAtMs: nowMs })
    .where('id', '=', contactId)
    .execute();
  return true;
}
