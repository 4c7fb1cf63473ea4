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
