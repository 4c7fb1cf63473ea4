import type { ContactRow } from './contact-store.ts';

/** Fields of a contact that are one value each, the latest one known. */
export const contactFields = [
  'name',
  'phone',
  'userId',
  'username',
  'email',
  'shopifyCustomerId',
  'externalId',
  'language',
  'timeZone',
] as const;
export type ContactField = (typeof contactFields)[number];

/** What an attribute can be. */
export type AttributeValue = string | number | boolean;

/** Attributes of one contact at most. */
export const ATTRIBUTES_MOST = 500;

/** Under which the time of an attribute is kept. */
export const attributeKey = (name: string) => `attributes.${name}`;

/** When each field got its value. Prototype-free: attributes are named by others. */
export function readTimes(contact: Pick<ContactRow, 'changedAt'>): Map<string, number> {
  return new Map(Object.entries(JSON.parse(contact.changedAt ?? '{}') as Record<string, number>));
}

/** The attributes of a contact. */
export function readAttributes(contact: Pick<ContactRow, 'attributes'>): Map<string, unknown> {
  return new Map(Object.entries(JSON.parse(contact.attributes) as Record<string, unknown>));
}

/** The tags of a contact. */
export function readTags(contact: Pick<ContactRow, 'tags'>): string[] {
  return JSON.parse(contact.tags) as string[];
}

/** Sets fields of a row in memory. An undefined one is left alone. @returns those whose value is new. */
export function setFields(
  contact: ContactRow,
  values: Partial<Record<ContactField, string | null | undefined>>,
  atMs: number,
): ContactField[] {
  const changed = contactFields.filter(
    (field) => values[field] !== undefined && values[field] !== contact[field],
  );
  if (changed.length === 0) return changed;
  const times = readTimes(contact);
  for (const field of changed) {
    contact[field] = values[field]!;
    times.set(field, atMs);
  }
  contact.changedAt = JSON.stringify(Object.fromEntries(times));
  return changed;
}

/** A change of one attribute. */
export interface AttributeChange {
  name: string;
  /** Null: it is gone. */
  value: AttributeValue | null;
  previous: unknown;
}

/**
 * Sets attributes of a row in memory; null removes one. Beyond {@link ATTRIBUTES_MOST} new ones are left out.
 *
 * @returns those whose value is new.
 */
export function setAttributes(
  contact: ContactRow,
  values: Readonly<Record<string, AttributeValue | null>>,
  atMs: number,
): AttributeChange[] {
  const attributes = readAttributes(contact);
  const changed: AttributeChange[] = [];
  for (const [name, value] of Object.entries(values)) {
    const previous = attributes.get(name) ?? null;
    if (previous === value) continue;
    if (value === null) attributes.delete(name);
    else if (attributes.has(name) || attributes.size < ATTRIBUTES_MOST) attributes.set(name, value);
    else continue;
    changed.push({ name, value, previous });
  }
  if (changed.length === 0) return changed;
  const times = readTimes(contact);
  for (const { name } of changed) times.set(attributeKey(name), atMs);
  contact.attributes = JSON.stringify(Object.fromEntries(attributes));
  contact.changedAt = JSON.stringify(Object.fromEntries(times));
  return changed;
}
