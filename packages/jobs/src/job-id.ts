import { createHash } from 'node:crypto';
import { jobIdInvalid } from './errors.ts';

/** Longest id kept in clear. Ids are part of every key of a job, so length costs memory several times over. */
const longestId = 128;

/** What BullMQ takes for one of its own counters. */
const number = /^-?\d+$/;

/**
 * Makes a job id of any parts: the same parts give the same id, different parts different ids.
 *
 * Letters, digits, `-` and `_` stay readable, everything else is percent-encoded, parts are joined by `.`; an id that would be
 * all digits gets a `~` in front; one that would be longer than 128 characters becomes `~h` and a SHA-256.
 *
 * @example toJobId('whatsapp', 'wamid.HBg=') // 'whatsapp.wamid%2EHBg%3D'
 */
export function toJobId(...parts: string[]): string {
  const id = parts.map(escapePart).join('.');
  if (id.length > longestId) return `~h${createHash('sha256').update(id).digest('base64url')}`;
  return number.test(id) ? `~${id}` : id;
}

/**
 * Leaves an id that BullMQ can use as it is, and makes one of any other.
 *
 * For ids by a rule of the catalog, whose parts are ours; {@link toJobId} is for ids from outside.
 */
export function safeJobId(id: string): string {
  return isUsable(id) && id.length <= longestId ? id : toJobId(id);
}

/**
 * Refuses an id that BullMQ can't use.
 *
 * @throws JOB_ID_INVALID
 */
export function checkJobId(id: string): void {
  if (!isUsable(id))
    throw jobIdInvalid(
      'a job id is not empty, not all digits, and has no ":"; toJobId() makes one of anything',
    );
}

function isUsable(id: string): boolean {
  return id !== '' && !id.includes(':') && !number.test(id);
}

function escapePart(part: string): string {
  return encodeURIComponent(part.toWellFormed()).replace(
    /[.~!*'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
