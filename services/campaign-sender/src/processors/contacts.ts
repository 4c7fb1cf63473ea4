import type { FileStore } from '@switchyard/files';
import type { Processors } from '@switchyard/jobs';
import type { ForgetPerson } from '@switchyard/runtime';
import type { ContactChanges } from '../contacts/change-contact.ts';
import { requestRun } from '../contacts/request-run.ts';
import { applyHandover } from '../conversations/set-handover.ts';
import type { Store } from '../database/scope.ts';
import { erasePerson, eraseShop } from '../erasure/erase-person.ts';
import { exportPerson } from '../erasure/export-person.ts';
import type { FirstTime } from '../inbound/receive-messages.ts';
import type { EventSubscriptions } from '../subscriptions/event-subscriptions.ts';

/** What the processors of `contacts` need. */
export interface ContactParts {
  store: Store;
  firstTime: FirstTime;
  subscriptions: Pick<EventSubscriptions, 'set'>;
  files: Pick<FileStore, 'delete'>;
  forgetPerson: ForgetPerson;
}

/** The processors of `contacts`: what a flow learned about a person, and what the law asks for them. */
export function createContactProcessors(
  changes: ContactChanges,
  { store, firstTime, subscriptions, files, forgetPerson }: ContactParts,
): Required<Processors<'contacts'>> {
  return {
    'tag-contact': (payload) => changes.tag(payload),
    'set-attributes': (payload) => changes.setAttributes(payload),
    'set-consent': (payload) => changes.setConsent(payload),
    'opt-out': (payload) => changes.optOut(payload),
    'set-handover': (payload) => applyHandover(store, firstTime, payload),
    'request-run': (payload) => requestRun(store, firstTime, payload),
    'erase-person': (payload) => erasePerson({ store, files, forgetPerson }, payload),
    'erase-shop': (payload) => eraseShop(store, payload),
    'export-person': (payload) => exportPerson(store, payload),
    'set-subscriptions': (payload) => subscriptions.set(payload),
  };
}
