import { insertIgnore, upsert } from '@switchyard/database';
import type { Dialect, Executor } from '../database/scope.ts';
import { publishEvents } from '../messages/merchant-events.ts';
import type { HeldEvent, PeopleScope } from './contact-book.ts';
import { readTags } from './contact-fields.ts';
import { takeSnapshot } from './contact-snapshot.ts';
import type { ContactRow } from './contact-store.ts';
import { mergeConsents } from './merge-consents.ts';
import { isOlder, mergeRows } from './merge-rows.ts';
import { suppressAll } from './suppress.ts';

/** Why two contacts are one person. */
export type MergeCause = 'message' | 'user_id_update' | 'system' | 'shopify' | 'custom' | 'person';

/**
 * Makes two contacts one. The older stays, and gets all that the other had: identifiers, consents with their history, windows,
 * messages, files, tags, events that wait. What the other was is kept in `contact_merges`, and leads whoever still knows its id here.
 *
 * Both must be locked in the book and saved. Of concurrent merges each waits for the other, then finds one contact and does nothing.
 *
 * @returns the contact that stays, as it is now.
 */
export async function mergeContacts(
  scope: PeopleScope,
  dialect: Dialect,
  [a, b]: readonly [ContactRow, ContactRow],
  cause: MergeCause,
  nowMs: number,
): Promise<ContactRow> {
  if (a.id === b.id) return a;
  const { trx, people, enqueue } = scope;
  const [survivor, other] = isOlder(a, b) ? [a, b] : [b, a];
  const { merchantId } = survivor;
  // What waits moves into the other's line; everything before it has been passed on.
  const mergedSequence = other.lastSequence - other.heldEvents;
  await remember(trx, dialect, survivor, other, cause, nowMs);
  const own = { lastSequence: survivor.lastSequence, heldEvents: survivor.heldEvents };
  Object.assign(survivor, mergeRows(survivor, other), own);
  survivor.marketingOptedOut = await mergeConsents(trx, dialect, survivor, other.id);
  for (const table of ['contact_identifiers', 'messages', 'inbound_media'] as const)
    await trx.updateTable(table).set({ contactId: survivor.id }).where('contactId', '=', other.id).execute();
  await mergeWindows(trx, dialect, survivor.id, other.id);
  await trx.deleteFrom('contact_tags').where('contactId', '=', other.id).execute();
  await insertIgnore(
    trx,
    dialect,
    'contact_tags',
    readTags(survivor).map((tag) => ({ merchantId, tag, contactId: survivor.id })),
    ['merchantId', 'tag', 'contactId'],
  );
  if (survivor.optedOut === 1)
    await suppressAll(
      trx,
      dialect,
      survivor,
      { scope: 'all', reason: 'merge', source: `contact ${other.id}` },
      nowMs,
    );
  if (other.heldEvents > 0) await moveLine(trx, survivor, other);
  await trx.deleteFrom('contacts').where('id', '=', other.id).execute();
  people.replace(other, survivor);
  people.touch(survivor);
  people.emit(survivor, {
    eventId: `merged_${other.id}`,
    kind: 'contact',
    name: 'contact.merged',
    body: JSON.stringify({ mergedContactId: other.id, mergedSequence }),
    occurredAtMs: nowMs,
  });
  publishEvents(enqueue, merchantId, [
    {
      id: `${other.id}_merged`,
      type: 'contact.merged',
      occurredAtMs: nowMs,
      data: { contactId: survivor.id, mergedContactId: other.id, cause },
    },
  ]);
  return survivor;
}

/** Keeps what the other was, and leads its id, and those that led to it, to the contact that stays. */
async function remember(
  trx: Executor,
  dialect: Dialect,
  survivor: ContactRow,
  other: ContactRow,
  cause: MergeCause,
  nowMs: number,
): Promise<void> {
  const identifiers = await trx
    .selectFrom('contact_identifiers')
    .select(['kind', 'value', 'createdAtMs'])
    .where('contactId', '=', other.id)
    .execute();
  await trx
    .updateTable('contact_merges')
    .set({ survivorId: survivor.id })
    .where('survivorId', '=', other.id)
    .execute();
  await upsert(
    trx,
    dialect,
    'contact_merges',
    [
      {
        mergedId: other.id,
        merchantId: survivor.merchantId,
        survivorId: survivor.id,
        cause,
        snapshot: JSON.stringify({ ...other, identifiers }),
        mergedAtMs: nowMs,
      },
    ],
    ['mergedId'],
    ['survivorId'],
  );
}

async function mergeWindows(
  trx: Executor,
  dialect: Dialect,
  survivorId: string,
  otherId: string,
): Promise<void> {
  const rows = await trx
    .selectFrom('conversations')
    .selectAll()
    .where('contactId', 'in', [survivorId, otherId])
    .execute();
  const others = rows.filter(({ contactId }) => contactId === otherId);
  if (others.length === 0) return;
  const merged = others.map((row) => {
    const own = rows.find((each) => each.contactId === survivorId && each.senderId === row.senderId);
    return {
      ...row,
      contactId: survivorId,
      windowExpiresAtMs: Math.max(row.windowExpiresAtMs, own?.windowExpiresAtMs ?? 0),
      lastInboundAtMs: Math.max(row.lastInboundAtMs, own?.lastInboundAtMs ?? 0),
    };
  });
  await upsert(
    trx,
    dialect,
    'conversations',
    merged,
    ['contactId', 'senderId'],
    ['windowExpiresAtMs', 'lastInboundAtMs'],
  );
  await trx.deleteFrom('conversations').where('contactId', '=', otherId).execute();
}

/** The other's waiting events go to the end of the line of the contact that stays, in their order. */
async function moveLine(trx: Executor, survivor: ContactRow, other: ContactRow): Promise<void> {
  const rows = await trx
    .selectFrom('held_events')
    .selectAll()
    .where('contactId', '=', other.id)
    .orderBy('sequence')
    .execute();
  await trx.deleteFrom('held_events').where('contactId', '=', other.id).execute();
  for (const row of rows) {
    const { payload, meta } = JSON.parse(row.payload) as HeldEvent;
    survivor.lastSequence += 1;
    survivor.heldEvents += 1;
    const moved: HeldEvent = {
      payload: {
        ...payload,
        contact: takeSnapshot(survivor, payload.contact.windowExpiresAtMs),
        sequence: survivor.lastSequence,
      },
      meta,
    };
    await trx
      .insertInto('held_events')
      .values({
        ...row,
        contactId: survivor.id,
        sequence: survivor.lastSequence,
        payload: JSON.stringify(moved),
      })
      .execute();
  }
}
