import type { Cache } from '@switchyard/redis';
import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { AdminClient } from '../shopify/create-admin-client.ts';
import { shopMetadata } from '../shopify/operations.ts';
import type { ShopStore } from '../shopify/shop-store.ts';
import { toRecord } from '../shopify/to-record.ts';

const METADATA_SECONDS = 300;
const Nullable = Type.Union([Type.String(), Type.Null()]);
const Token = Type.String({ minLength: 1, maxLength: 4096 });
const tokens = {
  accessToken: Token,
  expiresInSeconds: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Where the access token expires.' }),
  ),
  refreshToken: Type.Optional(Token),
  clientId: Type.Optional(Type.String({ minLength: 1, maxLength: 191 })),
  clientSecret: Type.Optional(Token),
};
const Domain = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9-]*\\.myshopify\\.com$',
  maxLength: 191,
  description: '`<name>.myshopify.com`',
});
const ShopView = Type.Object({
  id: Type.String(),
  merchantId: Type.String(),
  shopDomain: Type.String(),
  tokenExpiresAtMs: Type.Union([Type.Integer(), Type.Null()]),
  isRefreshed: Type.Boolean(),
  state: Type.Union([Type.Literal('active'), Type.Literal('unauthorized')]),
  stateReason: Nullable,
  setByEnvironment: Type.Boolean(),
  createdAtMs: Type.Integer(),
  updatedAtMs: Type.Integer(),
});
const Params = Type.Object({ id: Type.String({ maxLength: 191 }) });

/** Routes for the merchant's shops. */
export function registerShops(
  app: ServiceApp,
  { shops, admin, cache }: { shops: ShopStore; admin: AdminClient; cache: Cache },
): void {
  const tags = ['shops'];
  const read = requireScope('shops:read');
  const write = requireScope('shops:write');
  const closed = { additionalProperties: false };

  app.get(
    '/api/v1/shops',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Lists the shops that flows look into.',
        response: { 200: ok(Type.Array(ShopView)) },
      },
    },
    async ({ principal }) => succeed(await shops.list(principal.merchantId)),
  );

  app.post(
    '/api/v1/shops',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Connects a shop. With refresh token, client id and secret its tokens are kept fresh.',
        body: Type.Object({ shopDomain: Domain, ...tokens }, closed),
        response: { 201: ok(ShopView) },
      },
    },
    async ({ principal, body: { shopDomain, ...given } }, reply) => {
      reply.status(201);
      return succeed(await shops.create(principal.merchantId, shopDomain, given));
    },
  );

  app.get(
    '/api/v1/shops/:id',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Shows a shop, and what it says of itself (five minutes old at most).',
        params: Params,
        response: {
          200: ok(
            Type.Object({
              shop: ShopView,
              details: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
            }),
          ),
        },
      },
    },
    async ({ principal, params }) => {
      const { merchantId } = principal;
      const shop = await shops.get(merchantId, params.id);
      if (shop.state !== 'active') return succeed({ shop, details: null });
      const row = await shops.find(merchantId, shop.shopDomain);
      const details = await cache.getCached(
        `shop:${shop.id}`,
        async () => {
          const signal = AbortSignal.timeout(15_000);
          const data = await admin.query<{ shop: Record<string, unknown> }>(row, shopMetadata, {}, signal);
          return toRecord(data.shop);
        },
        METADATA_SECONDS,
      );
      return succeed({ shop, details });
    },
  );

  app.put(
    '/api/v1/shops/:id/tokens',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Gives a shop new tokens.',
        params: Params,
        body: Type.Object(tokens, closed),
        response: { 200: ok(ShopView) },
      },
    },
    async ({ principal, params, body }) =>
      succeed(await shops.setTokens(principal.merchantId, params.id, body)),
  );

  app.delete(
    '/api/v1/shops/:id',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Forgets a shop and its tokens.',
        params: Params,
        response: { 200: ok(Type.Null()) },
      },
    },
    async ({ principal, params }) => {
      await shops.remove(principal.merchantId, params.id);
      return succeed(null);
    },
  );
}
