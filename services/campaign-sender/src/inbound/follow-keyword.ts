import type { PeopleScope } from '../contacts/contact-book.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import { optIn, optOut } from '../contacts/opt-out.ts';
import { readKeyword } from '../contacts/opt-out-keywords.ts';
import type { Store } from '../database/scope.ts';
import type { InboundContent } from './inbound-content.ts';

/** Opt-out wins: the flow's event still goes, and says so. Opting in again takes back what keywords did, and marketing's end. */
export async function followKeyword(
  scope: PeopleScope,
  { dialect }: Store,
  contact: ContactRow,
  content: InboundContent,
  decidedAtMs: number,
  nowMs: number,
): Promise<void> {
  const decision = readKeyword(content.text);
  if (decision === 'opt-out')
    await optOut(scope, dialect, contact, { reason: 'keyword', source: 'message', decidedAtMs }, nowMs);
  if (decision === 'opt-in' && (contact.optedOut === 1 || contact.marketingOptedOut === 1))
    await optIn(scope, dialect, contact, { reasons: ['keyword'], source: 'keyword', decidedAtMs }, nowMs);
}
