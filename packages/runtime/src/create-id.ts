import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghijklmnopqrstuv';
const TIME_DIGITS = 9;
const COUNTER_DIGITS = 3;
const COUNTER_MOST = 32 ** COUNTER_DIGITS - 1;
const RANDOM_DIGITS = 16;
/** Random bytes are asked for in stock: a call for ten costs as much as one for a thousand. */
const STOCK_BYTES = RANDOM_DIGITS * 128;

let stock = Buffer.alloc(0);
let used = 0;
let latestMs = Number.NaN;
let counter = 0;

/**
 * A new id such as `msg_0je8s1k2q000…`: sorts by time (milliseconds), those that a process makes for the same millisecond one after
 * the other by their order, then 80 random bits. Holds only letters, digits and `_`, so that it may be a job's id, a column's value
 * and a part of a URL.
 *
 * The order within a millisecond keeps together in an index what was made together: people of one import, messages of one campaign.
 */
export function createId(prefix: string, nowMs = Date.now()): string {
  if (nowMs !== latestMs) {
    latestMs = nowMs;
    counter = 0;
  } else if (counter < COUNTER_MOST) counter += 1;
  return `${prefix}_${digits(nowMs, TIME_DIGITS)}${digits(counter, COUNTER_DIGITS)}${randomDigits()}`;
}

function digits(value: number, count: number): string {
  let text = '';
  for (let rest = value, digit = 0; digit < count; digit += 1) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function randomDigits(): string {
  if (used === stock.length) {
    stock = randomBytes(STOCK_BYTES);
    used = 0;
  }
  let text = '';
  for (const end = used + RANDOM_DIGITS; used < end; used += 1) text += ALPHABET[stock[used]! & 31]!;
  return text;
}
