import { upsert } from '@switchyard/database';
import type { Dialect, Executor } from '../database/scope.ts';
import type { ContactConsentsTable, Flag } from '../database/tables.ts';
import type { ContactRow } from './contact-store.ts';

/** Which of two decisions for the same purpose counts: the later; of two at once the refusal. */
export function laterDecision<T extends Pick<ContactConsentsTable, 'granted' | 'decidedAtMs' | 'source'>>(
  a: T,
  b: T,
): T {
  if (a.decidedAtMs !== b.decidedAtMs) return a.decidedAtMs > b.decidedAtMs ? a : b;
  if (a.granted !== b.granted) return a.granted === 0 ? a : b;
  return a.source >= b.source ? a : b;
}

/** Joins the consents of two contacts, and their history. @returns whether marketing is refused now. */
export async function mergeConsents(
  trx: Executor,
  dialect: Dialect,
  survivor: Pick<ContactRow, 'id' | 'merchantId'>,
  otherId: string,
): Promise<Flag> {
  const rows = await trx
    .selectFrom('contact_consents')
    .selectAll()
    .where('contactId', 'in', [survivor.id, otherId])
    .execute();
  const merged = new Map<string, ContactConsentsTable>();
  for (const row of rows) {
    const known = merged.get(row.purpose);
    const winner = known ? laterDecision(known, row) : row;
    merged.set(row.purpose, { ...winner, contactId: survivor.id });
  }
  await upsert(
    trx,
    dialect,
    'contact_consents',
    [...merged.values()],
    ['contactId', 'purpose'],
    ['granted', 'source', 'decidedAtMs'],
  );
  await trx.deleteFrom('contact_consents').where('contactId', '=', otherId).execute();
  await trx
    .updateTable('consent_history')
    .set({ contactId: survivor.id })
    .where('contactId', '=', otherId)
    .execute();
  return merged.get('marketing')?.granted === 0 ? 1 : 0;
}
