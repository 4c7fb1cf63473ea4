import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghijklmnopqrstuv';
const TIME_DIGITS = 9;
const RANDOM_BYTES = 10;

/**
 * A new id such as `msg_0je8s1k2q_4f…`: sorts by time (milliseconds), 80 random bits, and holds only letters, digits and
 * `_`, so that it may be a job's id, a column's value and a part of a URL.
 */
export function createId(prefix: string, nowMs = Date.now()): string {
  let time = '';
  for (let rest = nowMs, digit = 0; digit < TIME_DIGITS; digit += 1) {
    time = ALPHABET[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  let random = '';
  for (const byte of randomBytes(RANDOM_BYTES)) random += ALPHABET[byte & 31]! + ALPHABET[byte >> 5]!;
  return `${prefix}_${time}${random}`;
}
