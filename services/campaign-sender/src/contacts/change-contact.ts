import type { JobPayload } from '@switchyard/jobs';
import type { Store } from '../database/scope.ts';
import type { FirstTime } from '../inbound/receive-messages.ts';

import { inPeopleScope, type PeopleScope } from './contact-book.ts';
import { editAttributes, editTags } from './contact-edits.ts';
import type { ContactRow } from './contact-store.ts';
import { decide } from './decide.ts';
import { optOut } from './opt-out.ts';

type TagContact = JobPayload<'contacts', 'tag-contact'>;
type SetAttributes = JobPayload<'contacts', 'set-attributes'>;
type SetConsent = JobPayload<'contacts', 'set-consent'>;
type OptOut = JobPayload<'contacts', 'opt-out'>;

/** What flows may change of a person. Each effect happens once, by its `effectId`. */
export interface ContactChanges {
  tag(payload: TagContact): Promise<void>;
  setAttributes(payload: SetAttributes): Promise<void>;
  setConsent(payload: SetConsent): Promise<void>;
  optOut(payload: OptOut): Promise<void>;
}

/**
 * Makes the changes. A contact that was found to be another one is changed as that one; one that was erased is left alone: the effect
 * counts as done.
 */
export function createContactChanges(store: Store, firstTime: FirstTime): ContactChanges {
  async function once(
    payload: { merchantId: string; contactId: string; effectId: string },
    change: (scope: PeopleScope, contact: ContactRow, nowMs: number) => unknown,
  ): Promise<void> {
    const { merchantId, contactId, effectId } = payload;
    await inPeopleScope(store, async (scope) => {
      if (!(await firstTime(scope.trx, effectId))) return;
      const contact = (await scope.people.lock(merchantId, [contactId])).get(contactId);
      if (contact) await change(scope, contact, store.now());
    });
  }

  return {
    tag: (payload) =>
      once(payload, (scope, contact, nowMs) =>
        editTags(scope, store.dialect, contact, payload, editOf(payload), nowMs),
      ),
    setAttributes: (payload) =>
      once(payload, (scope, contact, nowMs) =>
        editAttributes(scope, contact, payload.attributes, editOf(payload), nowMs),
      ),
    setConsent: (payload) =>
      once(payload, async (scope, contact, nowMs) => {
        await decide(scope, store.dialect, contact, payload, nowMs);
      }),
    optOut: (payload) =>
      once(payload, (scope, contact, nowMs) =>
        optOut(
          scope,
          store.dialect,
          contact,
          { reason: 'flow', source: payload.source, decidedAtMs: payload.decidedAtMs },
          nowMs,
        ),
      ),
  };
}

function editOf({ effectId, runId }: { effectId: string; runId?: string }) {
  return { editId: effectId, runId };
}
