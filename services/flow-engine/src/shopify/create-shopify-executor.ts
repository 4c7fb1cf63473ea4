import { isCodedError } from '@switchyard/errors';
import type { Cache } from '@switchyard/redis';
import type { CallExecutor, CallResult, CallValues } from '../calls/call.ts';
import type { Bulkhead } from '../calls/create-bulkhead.ts';
import type { AdminClient, Page } from './create-admin-client.ts';
import { lookups, moreLineItems } from './operations.ts';
import type { ShopStore } from './shop-store.ts';
import { toRecord } from './to-record.ts';

type ShopifyCall = Parameters<CallExecutor<'shopify'>>[0];

/** What {@link createShopifyExecutor} needs. */
export interface ShopifyExecutorParts {
  shops: ShopStore;
  admin: AdminClient;
  cache: Cache;
  bulkhead: Bulkhead;
}

/** An order has 500 lines at most; a flow reads the first of them. */
const LINES_MOST = 250;
/** Products change slowly, and are asked for often (R3.3); orders and customers are looked at as they are. */
const PRODUCT_SECONDS = 60;

/** Makes the executor of look-ups into shops. `record: null` says that there is none. */
export function createShopifyExecutor(parts: ShopifyExecutorParts): CallExecutor<'shopify'> {
  const { shops, admin, cache, bulkhead } = parts;

  async function lookUp(
    call: ShopifyCall,
    merchantId: string,
    signal: AbortSignal,
  ): Promise<CallValues['shopify']> {
    const shop = await shops.find(merchantId, call.shopDomain);
    const { type, byId, bySearch } = lookups[call.resource];
    const search = searchOf(call);
    const ask = async (): Promise<Record<string, unknown> | null> => {
      const data =
        search === undefined
          ? await admin.query<Record<string, unknown>>(shop, byId, { id: toGid(type, call.value) }, signal)
          : await admin.query<Record<string, unknown>>(shop, bySearch, { query: search }, signal);
      const [found] = Object.values(data);
      const node = search === undefined ? found : (found as Page<unknown> | null)?.nodes[0];
      return (node as Record<string, unknown> | null | undefined) ?? null;
    };
    if (call.resource === 'product') {
      const key = `shop-product:${shop.id}:${search ?? toGid(type, call.value)}`.slice(0, 400);
      const node = await cache.getCached(key, async () => ({ node: await ask() }), PRODUCT_SECONDS);
      return { record: node.node && toRecord(node.node) };
    }
    const node = await ask();
    if (node === null) return { record: null };
    const lines = node.lineItems as Page<unknown> | undefined;
    if (lines?.pageInfo.hasNextPage) {
      const rest = admin.pages<unknown>(shop, moreLineItems, {
        variables: { id: node.id },
        read: (data: { order?: { lineItems: Page<unknown> } | null }) => data.order?.lineItems,
        after: lines.pageInfo.endCursor,
        most: LINES_MOST - lines.nodes.length,
        signal,
      });
      for await (const line of rest) lines.nodes.push(line);
    }
    return { record: toRecord(node) };
  }

  return async (call, { merchantId, signal }): Promise<CallResult<CallValues['shopify']>> => {
    try {
      return {
        ok: true,
        value: await bulkhead.run(`shopify:${merchantId}`, () => lookUp(call, merchantId, signal)),
      };
    } catch (error) {
      if (!isCodedError(error) || error.outcome !== 'never') throw error;
      return { ok: false, code: error.code, message: error.message };
    }
  };
}

/** A search in Shopify's syntax; undefined for a look-up by id. */
export function searchOf({
  resource,
  by,
  value,
}: Pick<ShopifyCall, 'resource' | 'by' | 'value'>): string | undefined {
  if (by === 'id') return undefined;
  if (by === 'query') return value;
  // An order's name is `#1001`; people leave the sign out, or write a blank.
  const text =
    resource === 'order' && by === 'name' ? value.trim().replace(/^#?\s*(?=\d)/, '#') : value.trim();
  const field = resource === 'product' && by === 'name' ? 'title' : by;
  return `${field}:"${text.replaceAll(/[\\"]/g, '\\$&')}"`;
}

/** Shopify's global id; digits are kept as text, since some have more than a number holds. */
function toGid(type: string, value: string): string {
  const text = value.trim();
  return text.startsWith('gid://') ? text : `gid://shopify/${type}/${text}`;
}
