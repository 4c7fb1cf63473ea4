import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js';

/**
 * What identifies a person. Values are stored whole and never interpreted, but for phone numbers (E.164 with `+`) and email
 * addresses (lower case).
 */
export const identifierKinds = [
  'phone',
  'user_id',
  'parent_user_id',
  'username',
  'email',
  'shopify_customer_id',
  'external_id',
] as const;
export type IdentifierKind = (typeof identifierKinds)[number];

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

/**
 * Reads a phone number as people and shops write it: with `+` or `00` and its country's code, or as it is dialled within a country.
 *
 * @param country ISO code of the country where it is dialled, as far as is known. @returns E.164 with `+`.
 */
export function parseLocalPhone(text: string, country: string | undefined): string | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith('+')) return parsePhone(trimmed);
  if (trimmed.startsWith('00')) return parsePhone(trimmed.slice(2));
  const code = country?.toUpperCase();
  // Digits that nobody knows the country of may be anybody's.
  if (code === undefined || !isSupportedCountry(code)) return undefined;
  const parsed = parsePhoneNumberFromString(trimmed, code as CountryCode);
  return parsed?.isPossible() ? parsed.number : undefined;
}

/** Reads an email address. @returns it in lower case; undefined for what is none, or too long to be found by. */
export function parseEmail(text: string): string | undefined {
  const trimmed = text.trim().toLowerCase();
  return trimmed.length <= 191 && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(trimmed) ? trimmed : undefined;
}

/**
 * Reads an identifier of a given kind.
 *
 * @returns undefined for a value that can't be one of its kind.
 */
export function parseIdentifier(kind: IdentifierKind, text: string): Identifier | undefined {
  if (kind === 'phone') {
    const value = parsePhone(text);
    return value === undefined ? undefined : { kind, value };
  }
  if (kind === 'email') {
    const value = parseEmail(text);
    return value === undefined ? undefined : { kind, value };
  }
  const value = text.trim();
  return value === '' || value.length > 191 ? undefined : { kind, value };
}
