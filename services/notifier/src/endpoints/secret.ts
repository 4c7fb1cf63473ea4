import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';

/** A new secret of an endpoint: 32 random bytes, as Standard Webhooks writes them. */
export function createEndpointSecret(): string {
  return PREFIX + randomBytes(32).toString('base64');
}

/**
 * Signs a delivery by Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`, one `v1,<base64>` per secret, so that a
 * receiver that still holds the previous one accepts it.
 *
 * @param timestampSeconds unix time of this attempt.
 */
export function signDelivery(
  secrets: readonly string[],
  { id, timestampSeconds, body }: { id: string; timestampSeconds: number; body: string },
): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestampSeconds}.${body}`).digest('base64')}`;
    })
    .join(' ');
}
