import type { FileStore } from '@switchyard/files';
import type { Selectable } from 'kysely';
import { inPeopleScope } from '../contacts/contact-book.ts';
import { releaseEvents } from '../conversations/release-events.ts';
import type { InboundMediaTable } from '../database/people-tables.ts';
import type { Store } from '../database/scope.ts';
import { publishEvents } from '../messages/merchant-events.ts';
import type { StoredFile } from './download.ts';

type MediaRow = Selectable<InboundMediaTable>;

/** How fetching a file ended. */
export type FetchEnd =
  | ({ kind: 'stored' } & StoredFile)
  | { kind: 'failed'; code: string; reason: string }
  | { kind: 'retry'; code: string; reason: string; atMs: number };

/**
 * Takes a file to fetch it. Somebody who dies over it is taken over from when the claim has run out.
 *
 * @returns the row as it is now; undefined when somebody else has it, or its end is known.
 */
export async function claimMedia(
  { db, now }: Store,
  id: string,
  claimMs: number,
): Promise<MediaRow | undefined> {
  const nowMs = now();
  const { numUpdatedRows } = await db
    .updateTable('inbound_media')
    .set((eb) => ({ nextAttemptAtMs: nowMs + claimMs, attempts: eb('attempts', '+', 1) }))
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where('nextAttemptAtMs', '<=', nowMs)
    .executeTakeFirst();
  if (Number(numUpdatedRows) === 0) return undefined;
  return await db.selectFrom('inbound_media').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Files that are to be fetched now. */
export async function findDueMedia({ db, now }: Store, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('inbound_media')
    .select('id')
    .where('state', '=', 'pending')
    .where('nextAttemptAtMs', '<=', now())
    .orderBy('nextAttemptAtMs')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Writes down how fetching ended and, where it is final, lets the events go that waited for it: one transaction.
 *
 * @returns false when the row was erased meanwhile, or settled by somebody else.
 */
export async function settleMedia(store: Store, media: MediaRow, end: FetchEnd): Promise<boolean> {
  return await inPeopleScope(store, async (scope) => {
    const nowMs = store.now();
    const row = await scope.trx
      .selectFrom('inbound_media')
      .select('contactId')
      .where('id', '=', media.id)
      .executeTakeFirst();
    if (!row) return false;
    // Contacts are locked first everywhere; then the row is looked at again by the update's condition.
    const contact = (await scope.people.lock(media.merchantId, [row.contactId])).get(row.contactId);
    const { numUpdatedRows } = await scope.trx
      .updateTable('inbound_media')
      .set({ ...columnsOf(end), updatedAtMs: nowMs })
      .where('id', '=', media.id)
      .where('state', '=', 'pending')
      .executeTakeFirst();
    if (Number(numUpdatedRows) === 0) return false;
    if (end.kind === 'retry') return true;
    if (contact) await releaseEvents(scope, contact, nowMs);
    const { messageId, merchantId, id, type } = media;
    publishEvents(scope.enqueue, merchantId, [
      {
        id: `${id}_${end.kind}`,
        type: end.kind === 'stored' ? 'message.media_stored' : 'message.media_failed',
        occurredAtMs: nowMs,
        data: {
          ...{ mediaId: id, messageId, contactId: contact?.id ?? row.contactId, type },
          ...(end.kind === 'stored'
            ? { mimeType: end.mimeType, bytes: end.bytes }
            : { code: end.code, reason: end.reason }),
        },
      },
    ]);
    return true;
  });
}

function columnsOf(end: FetchEnd) {
  if (end.kind === 'stored') {
    const { path, mimeType, bytes, sha256 } = end;
    return {
      ...{ path, mimeType, bytes, sha256 },
      ...{ state: 'stored' as const, nextAttemptAtMs: null, failureCode: null, failureReason: null },
    };
  }
  return {
    failureCode: end.code,
    failureReason: end.reason.slice(0, 1000),
    ...(end.kind === 'failed'
      ? { state: 'failed' as const, nextAttemptAtMs: null }
      : { nextAttemptAtMs: end.atMs }),
  };
}

/** Lets events go whose time is over. @returns how many contacts there were. */
export async function releaseOverdue(store: Store, limit: number): Promise<number> {
  const due = await store.db
    .selectFrom('held_events')
    .select(['contactId', 'merchantId'])
    .distinct()
    .where('waitUntilMs', '<=', store.now())
    .limit(limit)
    .execute();
  for (const { contactId, merchantId } of due)
    await inPeopleScope(store, async (scope) => {
      const contact = (await scope.people.lock(merchantId, [contactId])).get(contactId);
      if (contact) await releaseEvents(scope, contact, store.now());
    });
  return due.length;
}

/** Deletes files that are older than is kept, and those that an erasure or a broken upload has left. @returns how many. */
export async function pruneFiles(
  { db, now }: Store,
  files: Pick<FileStore, 'delete'>,
  retentionMs: number,
  limit: number,
): Promise<number> {
  const removals = await db
    .selectFrom('file_removals')
    .select('path')
    .where('createdAtMs', '<=', now())
    .limit(limit)
    .execute();
  for (const { path } of removals) {
    await files.delete(path);
    await db.deleteFrom('file_removals').where('path', '=', path).execute();
  }
  const old = await db
    .selectFrom('inbound_media')
    .select(['id', 'path'])
    .where('state', '=', 'stored')
    .where('createdAtMs', '<', now() - retentionMs)
    .orderBy('createdAtMs')
    .limit(limit)
    .execute();
  for (const { id, path } of old) {
    // The file first: a crash in between finds it gone, and goes on.
    if (path !== null) await files.delete(path);
    await db
      .updateTable('inbound_media')
      .set({ state: 'pruned', path: null, updatedAtMs: now() })
      .where('id', '=', id)
      .execute();
  }
  return removals.length + old.length;
}
