import { randomUUID } from 'node:crypto';
import type { Api } from './create-api.ts';
import { ensureSource } from './ensure-source.ts';
import { sendTestEvent } from './send-test-event.ts';

/** Connects a shop: source and secret, a first test event. Safe to run again. */
export async function connectShopify(
  settings: { ingress: Api; ingressUrl: string; shop: string; apiSecret: string },
  print: (line: string) => void,
): Promise<void> {
  const { ingress, ingressUrl, apiSecret: secret } = settings;
  const shop = settings.shop.toLowerCase();
  const ensured = await ensureSource(ingress, { kind: 'shopify', sourceKey: shop, secret }, print);
  const headersOf = (hmac: Buffer) => ({
    'x-shopify-hmac-sha256': hmac.toString('base64'),
    'x-shopify-shop-domain': shop,
    'x-shopify-topic': 'switchyard/test',
    'x-shopify-webhook-id': randomUUID(),
    'x-shopify-triggered-at': new Date().toISOString(),
  });
  await sendTestEvent(
    { ingressUrl, ingress, ensured, secret, path: '/webhooks/shopify', body: '{}', headersOf },
    print,
  );
  print(
    `name ${ingressUrl.replace(/\/$/, '')}/webhooks/shopify, as Shopify reaches it, in the app's webhook subscriptions`,
  );
}
