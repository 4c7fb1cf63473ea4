import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import Type from 'typebox';
import { createFaultList, type FaultList, type FaultTiming, faultSchema } from '../fault-list.ts';
import type { Random } from '../random.ts';
import { createRing } from '../ring.ts';
import { parseQuery } from './parse-query.ts';
import { requestedCost, runQuery } from './run-query.ts';
import { createShopData, type ShopData } from './shop-data.ts';

/**
 * What may go wrong with a query: `throttle` (200 with THROTTLED), `throttle-429`, `hang`, `cut`, `status`, `expire` (401, as if the
 * access token were no longer valid). `match` looks at the query.
 */
export const ShopFaultInput = faultSchema(['throttle', 'throttle-429', 'hang', 'cut', 'status', 'expire'], {
  status: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
});
export interface ShopFault extends FaultTiming {
  kind: 'throttle' | 'throttle-429' | 'hang' | 'cut' | 'status' | 'expire';
  status?: number | undefined;
}

/** The cost bucket of app and shop. */
export interface Bucket {
  maximum: number;
  restorePerSecond: number;
}

/** How a webhook's delivery ended. */
export interface Delivery {
  webhookId: string;
  topic: string;
  /** Undefined: nobody answered. */
  status: number | undefined;
  attempts: number;
}

/** One shop of one app. */
export interface SimulatedShopify {
  readonly shopDomain: string;
  readonly apiSecret: string;
  readonly clientId: string;
  readonly data: ShopData;
  readonly faults: FaultList<ShopFault>;
  /** Names and costs of the queries that were answered (1,000 kept). */
  queries(): { name: string; requested: number; actual: number; throttled: boolean }[];
  /** Points that were taken in all, and the lowest that the bucket has been at. */
  readonly lowestAvailable: number;
  readonly refreshes: number;
  setBucket(bucket: Bucket): void;
  /** Makes tokens that expire: the access token after so long, if at all. */
  issueTokens(options: { expiresInSeconds?: number | undefined }): {
    accessToken: string;
    refreshToken: string;
  };
  isToken(token: string): boolean;
  /** A new pair for a refresh token; the old access token ends once the new one is used. */
  refresh(
    refreshToken: string,
  ): { accessToken: string; refreshToken: string; expiresInSeconds: number } | undefined;
  /** Ends every token: the merchant has removed the app. */
  revokeTokens(): void;
  /** Answers a query, unless a fault does. */
  query(
    text: string,
    variables: Record<string, unknown>,
    fault?: ShopFault,
  ): { status: number; headers?: Record<string, string>; body: unknown };
  /** Posts a signed webhook, as often as Shopify would at most, until it is answered with 2xx. */
  sendWebhook(topic: string, body: string): Promise<Delivery>;
  deliveries(): Delivery[];
  reset(): void;
  close(): void;
}

/** Settings of {@link createShopify}. */
export interface ShopifyOptions {
  shopDomain: string;
  apiSecret: string;
  accessToken: string;
  webhookUrl: string;
  random: Random;
}

/** Shopify tries 8 times over hours; somebody at a simulator is gone by then. */
const ATTEMPTS = 6;
const RETRY_BASE_MS = 200;
const TIMEOUT_MS = 5000;
const EXPIRES_IN_SECONDS = 3600;

/** Makes the shop. */
export function createShopify(options: ShopifyOptions): SimulatedShopify {
  const { shopDomain, apiSecret, webhookUrl, random } = options;
  const data = createShopData({ domain: shopDomain, name: 'Simulated shop', currency: 'EUR' });
  const faults = createFaultList<ShopFault>(random);
  const queries = createRing<ReturnType<SimulatedShopify['queries']>[number]>(1000);
  const deliveries = createRing<Delivery>(1000);
  const closing = new AbortController();
  let bucket: Bucket = { maximum: 2000, restorePerSecond: 100 };
  let available = bucket.maximum;
  let restoredAt = performance.now();
  let lowest = bucket.maximum;
  let refreshes = 0;
  /** Access tokens and when they end. */
  const tokens = new Map<string, number>();
  /** Refresh tokens that are valid, and the access tokens that end their predecessors. */
  const refreshTokens = new Map<string, { replaces?: string }>();
  tokens.set(options.accessToken, Number.POSITIVE_INFINITY);

  function restore(): void {
    const now = performance.now();
    available = Math.min(bucket.maximum, available + ((now - restoredAt) / 1000) * bucket.restorePerSecond);
    restoredAt = now;
  }

  const throttleStatus = () => ({
    maximumAvailable: bucket.maximum,
    currentlyAvailable: Math.floor(available),
    restoreRate: bucket.restorePerSecond,
  });

  function throttled(name: string, requested: number, status: 200 | 429) {
    queries.push({ name, requested, actual: 0, throttled: true });
    const cost = { requestedQueryCost: requested, actualQueryCost: null, throttleStatus: throttleStatus() };
    const body = {
      errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
      extensions: { cost },
    };
    return status === 429 ? { status, headers: { 'retry-after': '1' }, body } : { status, body };
  }

  return {
    shopDomain,
    apiSecret,
    clientId: 'simulator-client',
    data,
    faults,
    queries: () => queries.values(),
    get lowestAvailable() {
      return lowest;
    },
    get refreshes() {
      return refreshes;
    },
    setBucket(next) {
      bucket = next;
      available = next.maximum;
      lowest = next.maximum;
      restoredAt = performance.now();
    },
    issueTokens({ expiresInSeconds }) {
      const accessToken = `shpat_${randomUUID()}`;
      const refreshToken = `shprt_${randomUUID()}`;
      tokens.set(
        accessToken,
        expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresInSeconds * 1000,
      );
      refreshTokens.set(refreshToken, {});
      return { accessToken, refreshToken };
    },
    isToken(token) {
      const until = tokens.get(token);
      if (until === undefined || until <= Date.now()) return false;
      // Its use ends the refresh token before it.
      for (const [refreshToken, { replaces }] of refreshTokens)
        if (replaces === token) refreshTokens.delete(refreshToken);
      return true;
    },
    refresh(refreshToken) {
      const known = refreshTokens.get(refreshToken);
      if (!known) return undefined;
      refreshes += 1;
      const accessToken = `shpat_${randomUUID()}`;
      const next = `shprt_${randomUUID()}`;
      tokens.set(accessToken, Date.now() + EXPIRES_IN_SECONDS * 1000);
      refreshTokens.set(next, {});
      // The old one goes on until the new access token is used, in case the answer is lost.
      refreshTokens.set(refreshToken, { replaces: accessToken });
      return { accessToken, refreshToken: next, expiresInSeconds: EXPIRES_IN_SECONDS };
    },
    revokeTokens() {
      tokens.clear();
      refreshTokens.clear();
    },
    query(text, variables, fault) {
      let query: ReturnType<typeof parseQuery>;
      try {
        query = parseQuery(text);
      } catch (error) {
        return { status: 200, body: { errors: [{ message: (error as Error).message }] } };
      }
      const requested = requestedCost(query, variables);
      restore();
      if (fault?.kind === 'throttle') return throttled(query.name, requested, 200);
      if (fault?.kind === 'throttle-429') return throttled(query.name, requested, 429);
      if (fault?.kind === 'status')
        return { status: fault.status ?? 500, body: { errors: 'Internal Server Error' } };
      if (requested > 1000) {
        const code = 'MAX_COST_EXCEEDED';
        return {
          status: 200,
          body: { errors: [{ message: 'Query cost exceeds 1000', extensions: { code } }] },
        };
      }
      if (requested > available) return throttled(query.name, requested, 200);
      try {
        const { data: found, objects } = runQuery(query, data.root(), variables);
        const actual = Math.min(requested, objects);
        available -= actual;
        lowest = Math.min(lowest, available);
        queries.push({ name: query.name, requested, actual, throttled: false });
        const cost = {
          requestedQueryCost: requested,
          actualQueryCost: actual,
          throttleStatus: throttleStatus(),
        };
        return { status: 200, body: { data: found, extensions: { cost } } };
      } catch (error) {
        return { status: 200, body: { errors: [{ message: (error as Error).message }] } };
      }
    },
    async sendWebhook(topic, body) {
      const webhookId = randomUUID();
      const headers = {
        'content-type': 'application/json',
        'x-shopify-topic': topic,
        'x-shopify-shop-domain': shopDomain,
        'x-shopify-api-version': '2026-10',
        'x-shopify-webhook-id': webhookId,
        'x-shopify-event-id': randomUUID(),
        'x-shopify-triggered-at': new Date().toISOString(),
        'x-shopify-hmac-sha256': createHmac('sha256', apiSecret).update(body).digest('base64'),
      };
      const delivery: Delivery = { webhookId, topic, status: undefined, attempts: 0 };
      while (delivery.attempts < ATTEMPTS && !closing.signal.aborted) {
        if (delivery.attempts > 0)
          await delay(RETRY_BASE_MS * 2 ** delivery.attempts, undefined, { signal: closing.signal }).catch(
            () => undefined,
          );
        delivery.attempts += 1;
        delivery.status = await post(webhookUrl, headers, body, closing.signal);
        if (delivery.status !== undefined && delivery.status < 300) break;
      }
      deliveries.push(delivery);
      return delivery;
    },
    deliveries: () => deliveries.values(),
    reset() {
      data.clear();
      faults.remove();
      queries.clear();
      deliveries.clear();
      this.setBucket({ maximum: 2000, restorePerSecond: 100 });
    },
    close: () => closing.abort(),
  };
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(url, { method: 'POST', headers, body, signal: limit, redirect: 'manual' });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}
