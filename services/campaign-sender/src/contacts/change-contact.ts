import { upsert } from '@switchyard/database';
import type { JobPayload } from '@switchyard/jobs';
import type { Scope, Store } from '../database/scope.ts';
import type { FirstTime } from '../inbound/receive-message.ts';
import { type ContactRow, lockContact } from './contact-store.ts';
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

const TAGS_MOST = 500;

/** Makes the changes. A contact that is gone (erased, merged) is left alone: the effect counts as done. */
export function createContactChanges(store: Store, firstTime: FirstTime): ContactChanges {
  async function once(
    { merchantId, contactId, effectId }: { merchantId: string; contactId: string; effectId: string },
    change: (scope: Scope, contact: ContactRow, nowMs: number) => Promise<unknown>,
  ): Promise<void> {
    await store.inScope(async (scope) => {
      if (!(await firstTime(scope.trx, effectId))) return;
      const contact = await lockContact(scope.trx, store.dialect, merchantId, contactId);
      if (contact) await change(scope, contact, store.now());
    });
  }

  return {
    tag: (payload) =>
      once(payload, async ({ trx }, contact, nowMs) => {
        const tags = new Set(JSON.parse(contact.tags) as string[]);
        for (const tag of payload.remove ?? []) tags.delete(tag);
        for (const tag of payload.add ?? []) if (tags.size < TAGS_MOST) tags.add(tag);
        await trx
          .updateTable('contacts')
          .set({ tags: JSON.stringify([...tags]), updatedAtMs: nowMs })
          .where('id', '=', contact.id)
          .execute();
      }),
    setAttributes: (payload) =>
      once(payload, async ({ trx }, contact, nowMs) => {
        const attributes = new Map(Object.entries(JSON.parse(contact.attributes) as Record<string, unknown>));
        for (const [name, value] of Object.entries(payload.attributes))
          if (value === null) attributes.delete(name);
          else attributes.set(name, value);
        await trx
          .updateTable('contacts')
          .set({ attributes: JSON.stringify(Object.fromEntries(attributes)), updatedAtMs: nowMs })
          .where('id', '=', contact.id)
          .execute();
      }),
    setConsent: (payload) =>
      once(payload, async ({ trx }, contact) => {
        const { purpose, granted, source, decidedAtMs, merchantId } = payload;
        const known = await trx
          .selectFrom('contact_consents')
          .select('decidedAtMs')
          .where('contactId', '=', contact.id)
          .where('purpose', '=', purpose)
          .executeTakeFirst();
        // Jobs may overtake one another; the person's latest decision counts.
        if (known && known.decidedAtMs > decidedAtMs) return;
        await upsert(
          trx,
          store.dialect,
          'contact_consents',
          [{ contactId: contact.id, purpose, merchantId, granted: granted ? 1 : 0, source, decidedAtMs }],
          ['contactId', 'purpose'],
          ['granted', 'source', 'decidedAtMs'],
        );
      }),
    optOut: (payload) =>
      once(payload, (scope, contact, nowMs) =>
        optOut(scope, store.dialect, contact, { reason: 'flow', source: payload.source }, nowMs),
      ),
  };
}
