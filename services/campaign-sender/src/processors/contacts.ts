import type { Processors } from '@switchyard/jobs';
import type { ContactChanges } from '../contacts/change-contact.ts';

/** The processors of `contacts`: what a flow learned about a person. */
export function createContactProcessors(changes: ContactChanges): Processors<'contacts'> {
  return {
    'tag-contact': (payload) => changes.tag(payload),
    'set-attributes': (payload) => changes.setAttributes(payload),
    'set-consent': (payload) => changes.setConsent(payload),
    'opt-out': (payload) => changes.optOut(payload),
  };
}
