import { insertIgnore } from '@switchyard/database';
import { toJobId } from '@switchyard/jobs';
import type { Dialect } from '../database/scope.ts';
import { publishEvents } from '../messages/merchant-events.ts';
import type { PeopleScope } from './contact-book.ts';
import { type AttributeValue, readTags, setAttributes } from './contact-fields.ts';
import type { ContactRow } from './contact-store.ts';
import { TAGS_MOST } from './merge-rows.ts';

/** Who edits, so that flows and endpoints can tell. */
export interface Edit {
  /** Makes the ids of the events that follow: the same edit tells the same. */
  editId: string;
  /** The run that wants it. */
  runId?: string | undefined;
}

/**
 * Adds and removes tags. Each that is new or gone is an event for flows.
 *
 * @param contact locked, and written already. @returns whether anything has changed.
 */
export async function editTags(
  scope: PeopleScope,
  dialect: Dialect,
  contact: ContactRow,
  { add = [], remove = [] }: { add?: readonly string[] | undefined; remove?: readonly string[] | undefined },
  edit: Edit,
  nowMs: number,
): Promise<boolean> {
  const { trx, people } = scope;
  const { merchantId, id: contactId } = contact;
  const tags = new Set(readTags(contact));
  const removed = [...new Set(remove)].filter((tag) => tags.delete(tag));
  const added: string[] = [];
  for (const tag of new Set(add)) {
    if (tags.has(tag) || tags.size >= TAGS_MOST) continue;
    tags.add(tag);
    added.push(tag);
  }
  if (added.length + removed.length === 0) return false;
  if (removed.length > 0)
    await trx
      .deleteFrom('contact_tags')
      .where('merchantId', '=', merchantId)
      .where('contactId', '=', contactId)
      .where('tag', 'in', removed)
      .execute();
  await insertIgnore(
    trx,
    dialect,
    'contact_tags',
    added.map((tag) => ({ merchantId, tag, contactId })),
    ['merchantId', 'tag', 'contactId'],
  );
  contact.tags = JSON.stringify([...tags]);
  people.touch(contact);
  for (const tag of removed)
    emitChange(scope, contact, 'contact.tag_removed', { tag }, toJobId(edit.editId, '-', tag), edit, nowMs);
  for (const tag of added)
    emitChange(scope, contact, 'contact.tag_added', { tag }, toJobId(edit.editId, '+', tag), edit, nowMs);
  return true;
}

/** Sets attributes; null removes one. Each change is an event for flows. @returns whether anything has changed. */
export function editAttributes(
  scope: PeopleScope,
  contact: ContactRow,
  attributes: Readonly<Record<string, AttributeValue | null>>,
  edit: Edit,
  nowMs: number,
): boolean {
  const changes = setAttributes(contact, attributes, nowMs);
  if (changes.length === 0) return false;
  scope.people.touch(contact);
  for (const change of changes)
    emitChange(
      scope,
      contact,
      'contact.attribute_changed',
      { ...change },
      toJobId(edit.editId, '=', change.name),
      edit,
      nowMs,
    );
  return true;
}

/** Tells the merchant's endpoints that a contact is new, or not what it was. */
export function tellOfContact(
  { enqueue }: PeopleScope,
  contact: Pick<ContactRow, 'id' | 'merchantId'>,
  what: 'created' | 'updated',
  { editId }: Edit,
  nowMs: number,
): void {
  publishEvents(enqueue, contact.merchantId, [
    {
      id: `${contact.id}_${what}_${editId}`.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 128),
      type: `contact.${what}`,
      occurredAtMs: nowMs,
      data: { contactId: contact.id },
    },
  ]);
}

function emitChange(
  { people }: PeopleScope,
  contact: ContactRow,
  name: string,
  body: Record<string, unknown>,
  eventId: string,
  { runId }: Edit,
  nowMs: number,
): void {
  people.emit(contact, {
    eventId: eventId.replaceAll(/[^A-Za-z0-9._-]/g, '_'),
    kind: 'contact',
    name,
    body: JSON.stringify(body),
    ...(runId === undefined ? {} : { origin: { runId } }),
    occurredAtMs: nowMs,
  });
}
