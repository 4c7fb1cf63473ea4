import { parsePhoneNumberFromString, validatePhoneNumberLength } from 'libphonenumber-js/max';
import { type Identifier, parseAddress } from '../contacts/address.ts';

/** Whom to send to, or why the text names nobody. */
export type Recipient = { to: Identifier; problem?: undefined } | { to?: undefined; problem: string };

const FORM = 'must be a phone number in international form, or a business-scoped user id';
const reasons: Readonly<Record<string, string>> = {
  INVALID_COUNTRY: 'must begin with the code of a country that exists',
  TOO_SHORT: 'is too short for a number of its country',
  TOO_LONG: 'is too long for a number of its country',
  INVALID_LENGTH: 'has a length that no number of its country has',
  NOT_A_NUMBER: FORM,
};
/** Numbers that nobody can have WhatsApp at. */
const dead: readonly (string | undefined)[] = ['PREMIUM_RATE', 'PAGER', 'VOICEMAIL'];

/** Recipients read lately: the numbering plans cost more than all else about a message, and people are written to more than once. */
const lately = new Map<string, Recipient>();
const LATELY_MOST = 20_000;

/**
 * Reads the recipient of a message by the full numbering plans. Numbers that a plan does not list yet, but whose length is
 * right, pass: the provider knows better.
 */
export function readRecipient(text: string): Recipient {
  const known = lately.get(text);
  if (known) return known;
  const recipient = read(text);
  if (lately.size >= LATELY_MOST) lately.clear();
  lately.set(text, recipient);
  return recipient;
}

/**
 * Reads the address that a text would be if somebody has it: the full numbering plans have nothing to say about a number that writes to us.
 *
 * @returns undefined for what must be read in full.
 */
export function readKnownRecipient(text: string): Identifier | undefined {
  if (/^[A-Za-z]/.test(text)) return parseAddress(text);
  const digits = /^\+?([1-9][0-9]{6,14})$/.exec(text)?.[1];
  return digits === undefined ? undefined : { kind: 'phone', value: `+${digits}` };
}

function read(text: string): Recipient {
  const trimmed = text.trim();
  if (/^[A-Za-z]/.test(trimmed)) {
    const to = parseAddress(trimmed);
    return to ? { to } : { problem: FORM };
  }
  if (!/^[+0-9][0-9\s().\-/]*$/.test(trimmed)) return { problem: FORM };
  const digits = `+${trimmed.replace(/\D/g, '').replace(/^00/, '')}`;
  const parsed = parsePhoneNumberFromString(digits, { extract: false });
  if (!parsed?.isPossible()) return { problem: reasons[validatePhoneNumberLength(digits) ?? ''] ?? FORM };
  if (dead.includes(parsed.getType())) return { problem: 'is a number that has no WhatsApp' };
  return { to: { kind: 'phone', value: parsed.number } };
}
