import type { Dialect, Scope } from '../database/scope.ts';
import { type ConsentDecision, recordConsent } from './consents.ts';
import type { ContactRow } from './contact-store.ts';
import { optInToMarketing, optOutOfMarketing } from './opt-out.ts';

/** Records a person's decision for a purpose, with all that follows from it. @param contact locked, and written already. */
export async function decide(
  scope: Scope,
  dialect: Dialect,
  contact: ContactRow,
  decision: ConsentDecision,
  nowMs: number,
): Promise<void> {
  const { purpose, granted, source, decidedAtMs } = decision;
  if (purpose !== 'marketing') await recordConsent(scope.trx, dialect, contact, decision, nowMs);
  else if (granted) await optInToMarketing(scope, dialect, contact, { source, decidedAtMs }, nowMs);
  else await optOutOfMarketing(scope, dialect, contact, { reason: 'consent', source, decidedAtMs }, nowMs);
}
