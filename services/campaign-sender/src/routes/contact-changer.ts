import { createId } from '@switchyard/runtime';
import { inPeopleScope, type PeopleScope } from '../contacts/contact-book.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import type { Store } from '../database/scope.ts';
import { recordUnknown } from '../errors.ts';
import { presentContact } from './contact-routes.ts';

/** What changes a contact; `editId` makes the ids of what follows from it. */
export type ContactChange = (
  scope: PeopleScope,
  contact: ContactRow,
  nowMs: number,
  editId: string,
) => unknown;

/**
 * Makes what changes a contact in one transaction and shows it as it then is.
 *
 * @throws RECORD_UNKNOWN when called for a contact that there is not; a merged one leads to what it has become.
 */
export function createContactChanger(store: Store) {
  return async (merchantId: string, id: string, change: ContactChange) =>
    await inPeopleScope(store, async (scope) => {
      const contact = (await scope.people.lock(merchantId, [id])).get(id);
      if (!contact) throw recordUnknown('there is no contact with this id');
      const nowMs = store.now();
      await change(scope, contact, nowMs, createId('chg', nowMs));
      return presentContact(contact);
    });
}
