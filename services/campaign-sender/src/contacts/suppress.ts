import { insertIgnore } from '@switchyard/database';
import type { Dialect, Executor } from '../database/scope.ts';
import type { ContactRow } from './contact-store.ts';

/** Why nothing, or no marketing, is sent to an address. */
export interface SuppressionCause {
  scope: 'all' | 'marketing';
  /** `keyword`, `flow`, `provider`, `preference`, `person`, `consent`, `merge`. */
  reason: string;
  /** Who or what says so. */
  source: string;
}

/** Suppresses every identifier of a contact. What was suppressed for marketing alone becomes so for all; the rest stays as it is. */
export async function suppressAll(
  trx: Executor,
  dialect: Dialect,
  contact: Pick<ContactRow, 'id' | 'merchantId'>,
  cause: SuppressionCause,
  nowMs: number,
): Promise<void> {
  const identifiers = await trx
    .selectFrom('contact_identifiers')
    .select(['kind', 'value'])
    .where('contactId', '=', contact.id)
    .execute();
  await suppress(trx, dialect, contact.merchantId, identifiers, cause, nowMs);
}

/** Suppresses addresses. */
export async function suppress(
  trx: Executor,
  dialect: Dialect,
  merchantId: string,
  addresses: readonly { kind: string; value: string }[],
  { scope, reason, source }: SuppressionCause,
  nowMs: number,
): Promise<void> {
  if (addresses.length === 0) return;
  const rows = addresses.map(({ kind, value }) => ({
    merchantId,
    kind,
    value,
    scope,
    reason,
    source,
    createdAtMs: nowMs,
  }));
  const inserted = await insertIgnore(trx, dialect, 'suppressions', rows, ['merchantId', 'kind', 'value']);
  if (scope !== 'all' || inserted === rows.length) return;
  await trx
    .updateTable('suppressions')
    .set({ scope, reason, source, createdAtMs: nowMs })
    .where('merchantId', '=', merchantId)
    .where('scope', '=', 'marketing')
    .where(
      'value',
      'in',
      rows.map(({ value }) => value),
    )
    .execute();
}
