/**
 * A TTL in whole milliseconds.
 * @throws RangeError when it is not a positive number: nothing is kept without an end.
 */
export function ttlMs(ttlSeconds: number): number {
  const ms = Math.ceil(ttlSeconds * 1000);
  if (!Number.isSafeInteger(ms) || ms <= 0)
    throw new RangeError('a TTL must be a positive number of seconds');
  return ms;
}
