import type { JobPayload } from '@switchyard/jobs';
import type { Store } from '../database/scope.ts';
import { findPerson } from './find-person.ts';

/** The newest of a person's messages; a job has room for so many. */
const MESSAGES_MOST = 2000;

/**
 * Provides what is known of a person: contacts with identifiers, tags and consents, what they were before they were
 * merged, messages both ways, and which files came with them.
 */
export async function exportPerson(
  store: Store,
  { merchantId, requestId, identifiers: asked }: JobPayload<'contacts', 'export-person'>,
): Promise<{ contacts: number; messages: number }> {
  return store.inScope(async ({ trx, enqueue }) => {
    const { contactIds } = await findPerson(trx, merchantId, asked);
    const of = { merchantId, ids: contactIds.length > 0 ? contactIds : [''] };
    const contacts = await trx
      .selectFrom('contacts')
      .selectAll()
      .where('merchantId', '=', of.merchantId)
      .where('id', 'in', of.ids)
      .execute();
    const identifiers = await trx
      .selectFrom('contact_identifiers')
      .selectAll()
      .where('merchantId', '=', of.merchantId)
      .where('contactId', 'in', of.ids)
      .execute();
    const consents = await trx
      .selectFrom('contact_consents')
      .selectAll()
      .where('merchantId', '=', of.merchantId)
      .where('contactId', 'in', of.ids)
      .execute();
    const messages = await trx
      .selectFrom('messages')
      .select(['id', 'direction', 'address', 'type', 'content', 'state', 'createdAtMs'])
      .where('merchantId', '=', of.merchantId)
      .where('contactId', 'in', of.ids)
      .orderBy('createdAtMs', 'desc')
      .limit(MESSAGES_MOST)
      .execute();
    const [tags, history, files] = [
      await trx
        .selectFrom('contact_tags')
        .select(['contactId', 'tag'])
        .where('contactId', 'in', of.ids)
        .execute(),
      await trx.selectFrom('consent_history').selectAll().where('contactId', 'in', of.ids).execute(),
      await trx
        .selectFrom('inbound_media')
        .select(['id', 'messageId', 'type', 'mimeType', 'fileName', 'bytes', 'state', 'createdAtMs'])
        .where('contactId', 'in', of.ids)
        .orderBy('createdAtMs', 'desc')
        .limit(MESSAGES_MOST)
        .execute(),
    ];
    const merged = await trx
      .selectFrom('contact_merges')
      .select(['mergedId', 'survivorId', 'cause', 'mergedAtMs', 'snapshot'])
      .where('survivorId', 'in', of.ids)
      .execute();
    enqueue({
      queue: 'control',
      name: 'provide-person-data',
      payload: {
        merchantId,
        requestId,
        owner: 'campaign-sender',
        data: { contacts, identifiers, tags, consents, consentHistory: history, merged, messages, files },
        completedAtMs: store.now(),
      },
      options: { removeOnComplete: true },
      meta: { merchantId, correlationId: requestId },
    });
    return { contacts: contacts.length, messages: messages.length };
  });
}
