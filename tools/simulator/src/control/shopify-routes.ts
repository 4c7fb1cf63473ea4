import Type from 'typebox';
import { type ShopFault, ShopFaultInput, type SimulatedShopify } from '../shopify/create-shopify.ts';
import { CustomerInput, OrderInput, ProductInput, type ShopRecord } from '../shopify/shop-data.ts';
import { faultRoutes } from './fault-routes.ts';
import type { ControlApp } from './mailbox-routes.ts';

const Topic = Type.String({ pattern: '^[a-z_]+/[a-z_]+$', maxLength: 128 });

/** What the simulated shop has, does and tells of, and how it goes wrong. */
export function shopifyControlRoutes(app: ControlApp, shopify: SimulatedShopify): void {
  const answer = <T>(data: T) => ({ success: true, data });
  /** Something happens in the shop, and its webhook tells of it. */
  const tell = async (topic: string, { id, rest }: ShopRecord) =>
    answer({ id, delivery: await shopify.sendWebhook(topic, rest) });

  app.post('/shopify/products', { schema: { body: ProductInput } }, async ({ body }) =>
    answer({ id: shopify.data.addProduct(body).id }),
  );
  app.post('/shopify/customers', { schema: { body: CustomerInput } }, async ({ body }) =>
    tell('customers/create', shopify.data.addCustomer(body)),
  );
  app.post('/shopify/orders', { schema: { body: OrderInput } }, async ({ body }) =>
    tell('orders/create', shopify.data.addOrder(body)),
  );
  app.post('/shopify/checkouts', { schema: { body: OrderInput } }, async ({ body }) =>
    tell('checkouts/create', shopify.data.makeCheckout(body)),
  );
  app.post(
    '/shopify/webhooks',
    {
      schema: {
        body: Type.Object({ topic: Topic, payload: Type.Unknown() }, { additionalProperties: false }),
      },
    },
    async ({ body: { topic, payload } }) =>
      answer(
        await shopify.sendWebhook(topic, typeof payload === 'string' ? payload : JSON.stringify(payload)),
      ),
  );
  app.get('/shopify/webhooks', async () => answer(shopify.deliveries()));
  app.get('/shopify/queries', async () =>
    answer({
      queries: shopify.queries(),
      lowestAvailable: shopify.lowestAvailable,
      refreshes: shopify.refreshes,
    }),
  );
  app.put(
    '/shopify/bucket',
    {
      schema: {
        body: Type.Object(
          { maximum: Type.Integer({ minimum: 1 }), restorePerSecond: Type.Integer({ minimum: 1 }) },
          { additionalProperties: false },
        ),
      },
    },
    async ({ body }) => {
      shopify.setBucket(body);
      return answer(body);
    },
  );
  app.post(
    '/shopify/tokens',
    {
      schema: {
        body: Type.Object(
          { expiresInSeconds: Type.Optional(Type.Integer({ minimum: 0 })) },
          { additionalProperties: false },
        ),
      },
    },
    async ({ body }) => answer(shopify.issueTokens(body)),
  );
  faultRoutes<ShopFault>(app, '/shopify/faults', ShopFaultInput, shopify.faults);
}
