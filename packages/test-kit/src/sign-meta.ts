import { createHmac } from 'node:crypto';

/**
 * Signs a webhook body as Meta does.
 *
 * @param body the bytes as they will be sent.
 * @param secret the app secret.
 * @returns the value of the `X-Hub-Signature-256` header, `sha256=<hex>`.
 */
export function signMeta(body: string | Uint8Array, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
