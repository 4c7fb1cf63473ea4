import { randomBytes } from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
/** Sets ids of this process apart from those of every other run. */
const processPart = randomBytes(5).toString('hex').toUpperCase();
let counter = 0;

function nextNumber(): string {
  counter += 1;
  return counter.toString(16).toUpperCase().padStart(10, '0');
}

/** A message id: opaque, unique, and of the provider's look. */
export function newWamid(person: string): string {
  const text = `\x1d\x18\x0b${person.slice(0, 15)}\x15\x02\x00\x11\x18\x12${processPart}${nextNumber()}\x00`;
  return `wamid.${Buffer.from(text, 'latin1').toString('base64')}`;
}

/** The `fbtrace_id` of an error body. */
export function newTraceId(): string {
  const bytes = randomBytes(22);
  let id = 'A';
  for (const byte of bytes) id += alphabet[byte & 63];
  return id;
}

/** A numeric Graph object id: media and templates. */
export function newObjectId(): string {
  counter += 1;
  return `${10 ** 14 + Number.parseInt(processPart.slice(0, 8), 16) * 10_000 + counter}`;
}

/** A fast 53-bit hash (cyrb53), for keys that only need to differ. */
export function hashText(text: string, seed = 0): number {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & low) + (high >>> 0);
}

/** The business-scoped user id that this simulator gives to a phone number: always the same one. */
export function userIdOf(phone: string): string {
  return `US.${hashText(phone, 1).toString().padStart(16, '1')}${hashText(phone, 2) % 10_000}`;
}
