import { createHmac, timingSafeEqual } from 'node:crypto';

const HEADER = /^sha256=([0-9a-f]{64})$/i;

/**
 * Reads `X-Hub-Signature-256`.
 *
 * @returns the 32 bytes it states, or undefined where it is missing or malformed.
 */
export function readSignature(header: unknown): Buffer | undefined {
  const hex = typeof header === 'string' ? HEADER.exec(header)?.[1] : undefined;
  return hex === undefined ? undefined : Buffer.from(hex, 'hex');
}

/**
 * Checks a WhatsApp webhook's signature: HMAC-SHA256 of the raw bytes under the app's secret, compared in constant time.
 *
 * @param body the bytes as they came, before any parsing.
 * @param signature from {@link readSignature}.
 * @param secrets the app's current secret and, while it is being rotated, the previous one.
 */
export function isSignedWith(body: Uint8Array, signature: Uint8Array, secrets: readonly string[]): boolean {
  // Every secret is tried, so that the time taken does not tell which one matched.
  let matches = false;
  for (const secret of secrets) {
    const expected = createHmac('sha256', secret).update(body).digest();
    if (timingSafeEqual(expected, signature)) matches = true;
  }
  return matches;
}
