import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { RateLimiter } from '@switchyard/redis';
import { rateLimited } from '@switchyard/service-kit';
import { loginRefused } from '../errors.ts';

/** Checks a login to the dashboard. */
export type CheckLogin = (username: string, password: string, address: string) => Promise<void>;

/**
 * Makes the check of the dashboard's login. It takes the same time whatever is wrong.
 *
 * After too many wrong logins of one address every login from there is refused until the minute is over, right ones too:
 * otherwise guessing could go on.
 *
 * @param failures counts wrong logins; its points are how many more than one a minute has.
 */
export function createLogin(wanted: {
  username: string;
  password: string;
  failures: RateLimiter;
}): CheckLogin {
  const wantedUsername = digest(wanted.username);
  const wantedPassword = digest(wanted.password);

  return async (username, password, address) => {
    const key = networkOf(address);
    const before = await wanted.failures.consume(key, 0);
    if (!before.allowed) throw tooMany(before.retryAfterMs);
    const isName = timingSafeEqual(digest(username), wantedUsername);
    const isPassword = timingSafeEqual(digest(password), wantedPassword);
    if (isName && isPassword) return;
    await wanted.failures.consume(key);
    throw loginRefused('name or password is wrong');
  };
}

function tooMany(retryAfterMs: number) {
  return rateLimited('too many wrong logins; see Retry-After', { delayMs: Math.max(1000, retryAfterMs) });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** An IPv6 caller has a whole network of addresses, so that is counted. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...(tail === undefined ? [] : zeros), ...right].slice(0, 4).join(':');
}
