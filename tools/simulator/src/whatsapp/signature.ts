import { createHmac } from 'node:crypto';

/**
 * Signs a webhook as the provider does.
 *
 * @param body the raw bytes that are posted.
 * @returns the value of `X-Hub-Signature-256`.
 */
export function signBody(body: string | Uint8Array, appSecret: string): string {
  return `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`;
}
