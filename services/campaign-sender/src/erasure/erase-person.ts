import { createPersonFinder, type JobPayload, needleOf } from '@switchyard/jobs';
import type { Executor, Store } from '../database/scope.ts';
import { findPerson } from './find-person.ts';

const OWNER = 'campaign-sender';

/**
 * Erases a person: contacts, identifiers, consents, conversations, messages with all that is known of them, and events nobody was
 * found for. Suppressions stay: they are what keeps the person from being written to again.
 *
 * Twice is harmless: the second time there is nothing left. flow-engine and notifier know people by the contact's id, so they are
 * told from here, in the same transaction.
 */
export async function erasePerson(
  store: Store,
  { merchantId, erasureId, identifiers: asked }: JobPayload<'contacts', 'erase-person'>,
): Promise<{ erasedRecords: number }> {
  return store.inScope(async ({ trx, enqueue }) => {
    const { identifiers, contactIds } = await findPerson(trx, merchantId, asked);
    const contacts =
      contactIds.length === 0
        ? []
        : await trx
            .selectFrom('contacts')
            .select(['id', 'phone', 'userId'])
            .where('merchantId', '=', merchantId)
            .where('id', 'in', contactIds)
            .execute();
    const addresses = identifiers.map(({ value }) => value);
    let erasedRecords = await eraseMessages(trx, { merchantId, contactIds, addresses });
    erasedRecords += await eraseUnmatched(trx, merchantId, asked);
    if (contactIds.length > 0) {
      for (const table of ['contact_consents', 'conversations', 'contact_identifiers'] as const)
        await trx
          .deleteFrom(table)
          .where('merchantId', '=', merchantId)
          .where('contactId', 'in', contactIds)
          .execute();
      const { numDeletedRows } = await trx
        .deleteFrom('contacts')
        .where('merchantId', '=', merchantId)
        .where('id', 'in', contactIds)
        .executeTakeFirst();
      erasedRecords += Number(numDeletedRows);
    }
    const meta = { merchantId, correlationId: erasureId };
    enqueue({
      queue: 'flows',
      name: 'erase-person',
      payload: {
        merchantId,
        erasureId,
        contacts: contacts.map(({ id, phone, userId }) => ({
          id,
          ...(phone !== null && { phone }),
          ...(userId !== null && { userId }),
        })),
      },
      meta,
    });
    enqueue({
      queue: 'webhooks',
      name: 'erase-person',
      payload: { merchantId, erasureId, contactIds, identifiers: asked },
      meta,
    });
    const completedAtMs = store.now();
    enqueue({
      queue: 'control',
      name: 'acknowledge-erasure',
      payload: { merchantId, erasureId, owner: OWNER, erasedRecords, completedAtMs },
      meta,
    });
    return { erasedRecords };
  });
}

/** Erases what a shop sent and nobody was found for. Events do not say which of a merchant's shops they are of: all go. */
export async function eraseShop(
  store: Store,
  { merchantId, erasureId }: JobPayload<'contacts', 'erase-shop'>,
): Promise<{ erasedRecords: number }> {
  return store.inScope(async ({ trx, enqueue }) => {
    const { numDeletedRows } = await trx
      .deleteFrom('unmatched_events')
      .where('merchantId', '=', merchantId)
      .where('kind', '=', 'shopify')
      .executeTakeFirst();
    const erasedRecords = Number(numDeletedRows);
    enqueue({
      queue: 'control',
      name: 'acknowledge-erasure',
      payload: { merchantId, erasureId, owner: OWNER, erasedRecords, completedAtMs: store.now() },
      meta: { merchantId, correlationId: erasureId },
    });
    return { erasedRecords };
  });
}

const AT_ONCE = 500;

async function eraseMessages(
  trx: Executor,
  { merchantId, contactIds, addresses }: { merchantId: string; contactIds: string[]; addresses: string[] },
): Promise<number> {
  if (contactIds.length === 0 && addresses.length === 0) return 0;
  const rows = await trx
    .selectFrom('messages')
    .select('id')
    .where('merchantId', '=', merchantId)
    .where((eb) =>
      eb.or([
        ...(contactIds.length > 0 ? [eb('contactId', 'in', contactIds)] : []),
        ...(addresses.length > 0 ? [eb('address', 'in', addresses)] : []),
      ]),
    )
    .execute();
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    const ids = rows.slice(at, at + AT_ONCE).map(({ id }) => id);
    await trx.deleteFrom('message_timeline').where('messageId', 'in', ids).execute();
    await trx.deleteFrom('message_attempts').where('messageId', 'in', ids).execute();
    await trx.deleteFrom('messages').where('id', 'in', ids).execute();
  }
  return rows.length;
}

async function eraseUnmatched(
  trx: Executor,
  merchantId: string,
  asked: JobPayload<'contacts', 'erase-person'>['identifiers'],
): Promise<number> {
  const needles = asked.flatMap((each) => needleOf(each) ?? []);
  if (needles.length === 0) return 0;
  const isNamed = createPersonFinder(asked);
  // SQL finds a few too many; which of them name the person is decided here.
  const rows = await trx
    .selectFrom('unmatched_events')
    .select(['id', 'body'])
    .where('merchantId', '=', merchantId)
    .where((eb) =>
      eb.or(needles.map((needle) => eb(eb.fn('lower', ['body']), 'like', `%${needle.toLowerCase()}%`))),
    )
    .execute();
  const ids = rows.filter(({ body }) => isNamed(body)).map(({ id }) => id);
  for (let at = 0; at < ids.length; at += AT_ONCE)
    await trx
      .deleteFrom('unmatched_events')
      .where('id', 'in', ids.slice(at, at + AT_ONCE))
      .execute();
  return ids.length;
}
