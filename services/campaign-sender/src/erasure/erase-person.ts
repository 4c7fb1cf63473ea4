import { insertIgnore } from '@switchyard/database';
import type { FileStore } from '@switchyard/files';
import { createPersonFinder, type JobPayload, needleOf, type PersonIdentifier } from '@switchyard/jobs';
import type { ForgetPerson } from '@switchyard/runtime';
import type { IdentifierKind } from '../contacts/address.ts';
import { lockContacts } from '../contacts/contact-store.ts';
import type { Executor, Store } from '../database/scope.ts';
import { findPerson } from './find-person.ts';

const OWNER = 'campaign-sender';

/** What {@link erasePerson} needs. */
export interface ErasureParts {
  store: Store;
  files: Pick<FileStore, 'delete'>;
  forgetPerson: ForgetPerson;
}

/**
 * Erases a person: contacts, what they were before they were merged, identifiers, tags, consents with their history, conversations,
 * messages with all that is known of them, files, events that wait, events nobody was found for, and failed jobs. Suppressions stay:
 * they are what keeps the person from being written to again.
 *
 * Files and failed jobs go first, since only the rows tell where the files are and by what else the person is known; a file that is
 * stored meanwhile is left to `file_removals`.
 *
 * Twice is harmless: the second time there is nothing left. flow-engine and notifier know people by the contact's id, so they are
 * told from here, in the same transaction.
 */
export async function erasePerson(
  { store, files, forgetPerson }: ErasureParts,
  { merchantId, erasureId, identifiers: asked }: JobPayload<'contacts', 'erase-person'>,
): Promise<{ erasedRecords: number }> {
  const before = await findPerson(store.db, merchantId, asked);
  const known = await findIdentifiers(store.db, merchantId, before.contactIds);
  const erasedJobs = await forgetPerson(merchantId, [...asked, ...known]);
  const gone = new Set(await findFiles(store.db, merchantId, before.contactIds));
  for (const path of gone) await files.delete(path);
  return store.inScope(async ({ trx, enqueue }) => {
    const { identifiers, contactIds } = await findPerson(trx, merchantId, asked);
    // Kept from others until the end: nobody may write under a contact that is being erased.
    await lockContacts(trx, store.dialect, contactIds);
    const left = (await findFiles(trx, merchantId, contactIds)).filter((path) => !gone.has(path));
    await insertIgnore(
      trx,
      store.dialect,
      'file_removals',
      left.map((path) => ({ path, merchantId, createdAtMs: store.now() })),
      ['path'],
    );
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
    let erasedRecords = erasedJobs + (await eraseMessages(trx, { merchantId, contactIds, addresses }));
    erasedRecords += await eraseUnmatched(trx, merchantId, asked);
    let merged: string[] = [];
    if (contactIds.length > 0) {
      merged = await forgetMerges(trx, merchantId, contactIds);
      for (const table of personalTables)
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
        contacts: [
          ...contacts.map(({ id, phone, userId }) => ({
            id,
            ...(phone !== null && { phone }),
            ...(userId !== null && { userId }),
          })),
          ...merged.map((id) => ({ id })),
        ].slice(0, CONTACTS_MOST),
      },
      options: { removeOnComplete: true },
      meta,
    });
    enqueue({
      queue: 'webhooks',
      name: 'erase-person',
      payload: {
        merchantId,
        erasureId,
        contactIds: [...contactIds, ...merged].slice(0, CONTACTS_MOST),
        identifiers: asked,
      },
      options: { removeOnComplete: true },
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

/** By these a person is found in what others have written; a user name or a shop's number may be any word or number there. */
const distinctKinds: IdentifierKind[] = ['phone', 'user_id', 'parent_user_id', 'email'];

/** What contacts are surely known by, their own ids among it. */
async function findIdentifiers(
  executor: Executor,
  merchantId: string,
  contactIds: string[],
): Promise<PersonIdentifier[]> {
  if (contactIds.length === 0) return [];
  const rows = await executor
    .selectFrom('contact_identifiers')
    .select(['kind', 'value'])
    .where('merchantId', '=', merchantId)
    .where('contactId', 'in', contactIds)
    .where('kind', 'in', distinctKinds)
    .execute();
  return [...rows, ...contactIds.map((value) => ({ kind: 'contact_id', value }))];
}

const AT_ONCE = 500;
/** As many as a job names; the merged ones come last. */
const CONTACTS_MOST = 50;

const personalTables = [
  'contact_consents',
  'consent_history',
  'contact_tags',
  'conversations',
  'contact_identifiers',
  'held_events',
  'inbound_media',
] as const;

async function findFiles(executor: Executor, merchantId: string, contactIds: string[]): Promise<string[]> {
  if (contactIds.length === 0) return [];
  const rows = await executor
    .selectFrom('inbound_media')
    .select('path')
    .where('merchantId', '=', merchantId)
    .where('contactId', 'in', contactIds)
    .where('path', 'is not', null)
    .execute();
  return rows.flatMap(({ path }) => path ?? []);
}

/** Forgets what contacts were before they were merged. @returns the ids they had: others may still know the person by them. */
async function forgetMerges(trx: Executor, merchantId: string, contactIds: string[]): Promise<string[]> {
  const rows = await trx
    .selectFrom('contact_merges')
    .select('mergedId')
    .where('merchantId', '=', merchantId)
    .where('survivorId', 'in', contactIds)
    .execute();
  await trx
    .deleteFrom('contact_merges')
    .where('merchantId', '=', merchantId)
    .where('survivorId', 'in', contactIds)
    .execute();
  return rows.map(({ mergedId }) => mergedId);
}

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
