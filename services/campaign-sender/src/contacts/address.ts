import { parsePhoneNumberFromString } from 'libphonenumber-js';

/** What identifies a person. Values are stored whole and never interpreted, but for phone numbers (E.164 with `+`). */
export type IdentifierKind = 'phone' | 'user_id' | 'parent_user_id' | 'username';

/** One identifier of a contact. */
export interface Identifier {
  kind: IdentifierKind;
  value: string;
}

const USER_ID = /^[A-Z]{2}\.[A-Za-z0-9]{1,128}$/;
const PARENT_USER_ID = /^[A-Z]{2}\.ENT\.[A-Za-z0-9]{1,128}$/;

/**
 * Reads the address of a message: a phone number in E.164, with or without `+`, blanks and dashes, or a business-scoped user id.
 *
 * @returns undefined when it is neither.
 */
export function parseAddress(text: string): Identifier | undefined {
  const trimmed = text.trim();
  if (PARENT_USER_ID.test(trimmed)) return { kind: 'parent_user_id', value: trimmed };
  if (USER_ID.test(trimmed)) return { kind: 'user_id', value: trimmed };
  const phone = parsePhone(trimmed);
  return phone === undefined ? undefined : { kind: 'phone', value: phone };
}

/** Reads a phone number in international form. @returns E.164 with `+`, or undefined for one that can't exist. */
export function parsePhone(text: string): string | undefined {
  if (!/^\+?[0-9][0-9 ().-]{4,24}$/.test(text.trim())) return undefined;
  const digits = text.replace(/[^0-9]/g, '');
  const parsed = parsePhoneNumberFromString(`+${digits}`);
  return parsed?.isPossible() ? parsed.number : undefined;
}
