import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Checks an HMAC-SHA256 over raw bytes, compared in constant time.
 *
 * @param body the bytes as they came, before any parsing.
 * @param signature 32 bytes, as a header states them.
 * @param secrets the app's current secret and, while it is being rotated, the previous one.
 */
export function isSignedWith(
  body: Uint8Array,
  signature: Uint8Array,
  secrets: readonly (string | Uint8Array)[],
): boolean {
  // Every secret is tried, so that the time taken does not tell which one matched.
  let matches = false;
  for (const secret of secrets) {
    const expected = createHmac('sha256', secret).update(body).digest();
    if (timingSafeEqual(expected, signature)) matches = true;
  }
  return matches;
}
