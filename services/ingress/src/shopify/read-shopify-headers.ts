import type { IncomingHttpHeaders } from 'node:http';

/** What Shopify says of a webhook in its headers. */
export interface ShopifyHeaders {
  /** `orders/create` and the like. */
  readonly topic: string;
  /** `<name>.myshopify.com`, in lower case. */
  readonly shopDomain: string;
  /** One per delivery, the same over its retries. */
  readonly webhookId: string;
  /** Ties the deliveries of one merchant action together. Several subscriptions share it, so nothing is de-duplicated on it. */
  readonly correlationEventId?: string;
  readonly apiVersion?: string;
  readonly triggeredAtMs?: number;
}

/** The 32 bytes that `X-Shopify-Hmac-Sha256` states; undefined where it is missing or malformed. */
export function readShopifySignature(headers: IncomingHttpHeaders): Buffer | undefined {
  const text = headerOf(headers, 'hmac-sha256');
  return text !== undefined && /^[A-Za-z0-9+/]{43}=$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** Reads the domain alone, which says which secret to try first. */
export function readShopDomain(headers: IncomingHttpHeaders): string | undefined {
  const domain = headerOf(headers, 'shop-domain')?.toLowerCase();
  return domain !== undefined && isShopDomain(domain) ? domain : undefined;
}

/** Whether a text is a shop's domain, in lower case. */
export function isShopDomain(text: string): boolean {
  return /^(?=.{3,191}$)[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$/.test(text);
}

/** @returns undefined where topic, shop or delivery id is missing or malformed. */
export function readShopifyHeaders(headers: IncomingHttpHeaders): ShopifyHeaders | undefined {
  const topic = headerOf(headers, 'topic')?.toLowerCase();
  const shopDomain = readShopDomain(headers);
  const webhookId = headerOf(headers, 'webhook-id');
  if (topic === undefined || !/^[a-z0-9_./-]{1,128}$/.test(topic)) return undefined;
  if (shopDomain === undefined || webhookId === undefined || webhookId.length > 191) return undefined;
  const correlationEventId = headerOf(headers, 'event-id')?.slice(0, 191);
  const apiVersion = headerOf(headers, 'api-version')?.slice(0, 64);
  const triggeredAtMs = readTime(headerOf(headers, 'triggered-at'));
  return {
    topic,
    shopDomain,
    webhookId,
    ...(correlationEventId !== undefined && { correlationEventId }),
    ...(apiVersion !== undefined && { apiVersion }),
    ...(triggeredAtMs !== undefined && { triggeredAtMs }),
  };
}

/** Shopify's newer "Events" leave out the `X-`. */
function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[`x-shopify-${name}`] ?? headers[`shopify-${name}`];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** ISO 8601 with nine decimals of a second; three are kept. */
function readTime(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text.replace(/(\.\d{3})\d+/, '$1'));
  return Number.isSafeInteger(time) && time > 0 ? time : undefined;
}
