import type { Dialect } from '../database/scope.ts';
import type { Identifier } from './address.ts';
import type { PeopleScope } from './contact-book.ts';
import { type ContactRow, findSuppressed } from './contact-store.ts';
import { optOut } from './opt-out.ts';

/**
 * Somebody who asked for silence under one identifier stays in silence when another one comes to light, and the new one is
 * suppressed too.
 *
 * @param news identifiers that have just been given to contacts.
 */
export async function followSuppressions(
  scope: PeopleScope,
  dialect: Dialect,
  news: readonly { contact: ContactRow; identifiers: Identifier[] }[],
  nowMs: number,
): Promise<void> {
  const byMerchant = Map.groupBy(
    news.filter(({ identifiers }) => identifiers.length > 0),
    ({ contact }) => contact.merchantId,
  );
  for (const [merchantId, group] of byMerchant) {
    const suppressed = await findSuppressed(
      scope.trx,
      merchantId,
      group.flatMap(({ identifiers }) => identifiers),
    );
    for (const { contact: met, identifiers } of group) {
      const contact = scope.people.current(met);
      const isSuppressed = identifiers.some(({ kind, value }) => suppressed.has(`${kind}:${value}`));
      if (contact.optedOut === 0 && !isSuppressed) continue;
      // The contact's row may not be written yet; the book writes it with the mark.
      await optOut(scope, dialect, contact, { reason: 'suppression', source: 'another address' }, nowMs);
      scope.people.touch(contact);
    }
  }
}
