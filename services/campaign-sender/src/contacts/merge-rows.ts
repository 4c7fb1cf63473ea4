import { attributeKey, contactFields, readAttributes, readTags, readTimes } from './contact-fields.ts';
import type { ContactRow } from './contact-store.ts';

/** Tags of one contact at most. */
export const TAGS_MOST = 500;

/** The contact that stays when two become one: the older; both databases and every order of merges agree on it. */
export function isOlder(
  a: Pick<ContactRow, 'id' | 'createdAtMs'>,
  b: Pick<ContactRow, 'id' | 'createdAtMs'>,
): boolean {
  return a.createdAtMs < b.createdAtMs || (a.createdAtMs === b.createdAtMs && a.id < b.id);
}

/**
 * What two contacts are as one. Pure; the result is the same for every order in which several are merged: of each field and
 * attribute the value that was set later (of two set at once, the one that sorts last), the union of tags, opted out if one was.
 *
 * Sequence and held events are the older one's: they are its place in line, not what is known of the person.
 */
export function mergeRows(a: ContactRow, b: ContactRow): ContactRow {
  const [survivor, other] = isOlder(a, b) ? [a, b] : [b, a];
  const times = new Map<string, number>();
  const merged: ContactRow = { ...survivor };
  const mine = timesOf(survivor);
  const theirs = timesOf(other);
  for (const field of contactFields) {
    const [value, atMs] = later(
      [survivor[field], mine.get(field) ?? NEVER],
      [other[field], theirs.get(field) ?? NEVER],
    );
    merged[field] = value;
    if (atMs !== NEVER) times.set(field, atMs);
  }
  const attributes = new Map<string, unknown>();
  const own = readAttributes(survivor);
  const others = readAttributes(other);
  const names = [...mine.keys(), ...theirs.keys()].filter((key) => key.startsWith(attributeKey('')));
  for (const key of new Set(names)) {
    const name = key.slice(attributeKey('').length);
    const [value, atMs] = later(
      [own.get(name) ?? null, mine.get(key) ?? NEVER],
      [others.get(name) ?? null, theirs.get(key) ?? NEVER],
    );
    if (value !== null) attributes.set(name, value);
    times.set(key, atMs);
  }
  merged.attributes = JSON.stringify(Object.fromEntries(sorted(attributes)));
  merged.changedAt = JSON.stringify(Object.fromEntries(sorted(times)));
  merged.tags = JSON.stringify(
    [...new Set([...readTags(survivor), ...readTags(other)])].sort().slice(0, TAGS_MOST),
  );
  merged.optedOut = survivor.optedOut === 1 || other.optedOut === 1 ? 1 : 0;
  const [handler] = later(
    [handlerOf(survivor), handlerTime(survivor)],
    [handlerOf(other), handlerTime(other)],
  );
  Object.assign(merged, handler);
  merged.lastInboundAtMs = latest(survivor.lastInboundAtMs, other.lastInboundAtMs);
  merged.unreadCount = survivor.unreadCount + other.unreadCount;
  return merged;
}

const NEVER = -1;

/** A value without a time got it when the contact was made. */
function timesOf(contact: ContactRow): Map<string, number> {
  const times = readTimes(contact);
  for (const field of contactFields)
    if (contact[field] !== null && !times.has(field)) times.set(field, contact.createdAtMs);
  for (const name of readAttributes(contact).keys())
    if (!times.has(attributeKey(name))) times.set(attributeKey(name), contact.createdAtMs);
  return times;
}

function later<T>(a: readonly [T, number], b: readonly [T, number]): readonly [T, number] {
  if (a[1] !== b[1]) return a[1] > b[1] ? a : b;
  return (JSON.stringify(a[0]) ?? '') >= (JSON.stringify(b[0]) ?? '') ? a : b;
}

function handlerOf({ handler, handlerUntilMs, handlerUserId, handlerReason, handlerSinceMs }: ContactRow) {
  return { handler, handlerUntilMs, handlerUserId, handlerReason, handlerSinceMs };
}

const handlerTime = ({ handlerSinceMs }: ContactRow) => handlerSinceMs ?? NEVER;

function latest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
