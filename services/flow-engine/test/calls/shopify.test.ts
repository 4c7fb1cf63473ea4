import { createMysqlDatabase, eachDatabase, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import type { CallExecutor } from '../../src/calls/call.ts';
import { searchOf } from '../../src/shopify/create-shopify-executor.ts';
import { context, startExecutors, startProviders } from './helper.ts';

type ShopifyCall = Parameters<CallExecutor<'shopify'>>[0];
const order = (value: string, by: ShopifyCall['by'] = 'name'): ShopifyCall => ({
  kind: 'shopify',
  resource: 'order',
  by,
  value,
});

t.test('orders, customers and products are found, with ids that keep all digits', async (t) => {
  const { simulator, env } = await startProviders(t);
  const { data } = simulator.shopify;
  const { executors } = await startExecutors(t, { env });
  const placed = data.addOrder({
    email: 'ada@example.com',
    phone: '+15551230001',
    trackingNumber: 'JD0001',
    fulfillmentStatus: 'FULFILLED',
  });
  data.addOrder({ email: 'ada@example.com', lineItems: [{ title: 'Red socks', price: '3.00' }] });
  const socks = data.addProduct({ title: 'Blue socks', price: '9.50', sku: 'SOCK-BLUE' });

  const found = await executors.shopify!(order('1001'), context());
  t.match(found, {
    ok: true,
    value: {
      record: {
        id: `gid://shopify/Order/${placed.id}`,
        legacyId: placed.id,
        name: '#1001',
        total: { amount: '19.00', currency: 'EUR' },
        financialStatus: 'PAID',
        fulfillmentStatus: 'FULFILLED',
        statusUrl: /^https/,
        customer: { email: 'ada@example.com', phone: '+15551230001' },
        lineItems: [{ title: 'Blue socks', quantity: 2, price: { amount: '9.50' } }],
        fulfillments: [{ tracking: [{ number: 'JD0001' }] }],
      },
    },
  });
  t.equal(placed.id.length, 18);
  t.match(
    await executors.shopify!(order('ada@example.com', 'email'), context()),
    {
      value: { record: { name: '#1002', lineItems: [{ title: 'Red socks' }] } },
    },
    'of several the newest',
  );
  t.match(await executors.shopify!(order(placed.id, 'id'), context()), {
    value: { record: { name: '#1001' } },
  });
  t.match(
    await executors.shopify!(
      { kind: 'shopify', resource: 'customer', by: 'phone', value: '+15551230001' },
      context(),
    ),
    { value: { record: { displayName: 'Ada Lovelace', email: 'ada@example.com' } } },
  );
  t.match(
    await executors.shopify!(
      { kind: 'shopify', resource: 'product', by: 'name', value: 'Blue socks' },
      context(),
    ),
    { value: { record: { legacyId: socks.id, variants: [{ sku: 'SOCK-BLUE', price: '9.50' }] } } },
  );
  t.strictSame(await executors.shopify!(order('#9999'), context()), { ok: true, value: { record: null } });
  const noShop = context({ merchantId: 'mer_2' });
  t.match(await executors.shopify!(order('#1001'), noShop), { ok: false, code: 'SHOP_NOT_CONFIGURED' });
});

t.test('a long order is read page by page', async (t) => {
  const { simulator, env } = await startProviders(t);
  const { executors } = await startExecutors(t, { env });
  const lineItems = Array.from({ length: 180 }, (_, at) => ({ title: `Item ${at}` }));
  simulator.shopify.data.addOrder({ lineItems });
  const result = await executors.shopify!(order('#1001'), context());
  const { record } = (result as unknown as { value: { record: { lineItems: { title: string }[] } } }).value;
  t.strictSame(
    record.lineItems.map(({ title }) => title),
    lineItems.map(({ title }) => title),
  );
});

t.test('what is searched for can not become another search', async (t) => {
  t.equal(searchOf(order('" OR status:any OR name:"')), 'name:"\\" OR status:any OR name:\\""');
  t.equal(searchOf(order('# 1001')), 'name:"#1001"');
  t.equal(searchOf({ resource: 'product', by: 'name', value: 'A \\ B' }), 'title:"A \\\\ B"');
  t.equal(searchOf(order('status:open', 'query')), 'status:open');
  t.equal(searchOf(order('1', 'id')), undefined);
});

t.test('being throttled, by 200 or 429, is waited out; the budget is known to all instances', async (t) => {
  const { simulator, env } = await startProviders(t);
  const { shopify } = simulator;
  shopify.data.addOrder({ email: 'ada@example.com' });
  const redis = await startRedis(t);
  const one = await startExecutors(t, { env, redis });
  const other = await startExecutors(t, { env, redis });
  shopify.faults.add({ kind: 'throttle', count: 1 });
  shopify.faults.add({ kind: 'throttle-429', count: 1, skip: 1 });
  for (let call = 0; call < 3; call += 1)
    t.match(await one.executors.shopify!(order('#1001'), context()), {
      ok: true,
      value: { record: { name: '#1001' } },
    });

  // A bucket that holds three look-ups: many calls of two instances at a time are served in turn, and none is turned away.
  const requested = shopify.queries().at(-1)!.requested;
  shopify.setBucket({ maximum: requested * 3, restorePerSecond: requested * 10 });
  await one.executors.shopify!(order('#1001'), context());
  const before = shopify.queries().length;
  const calls = Array.from({ length: 14 }, (_, at) =>
    (at % 2 ? one : other).executors.shopify!(order('#1001'), context()),
  );
  for (const result of await Promise.all(calls)) t.match(result, { ok: true });
  const seen = shopify.queries().slice(before);
  t.equal(seen.length, 14);
  t.strictSame(
    seen.filter(({ throttled }) => throttled),
    [],
  );
  t.ok(shopify.lowestAvailable >= 0);
});

t.test('a shop that is away is tried again, then left alone; what it refuses is a result', async (t) => {
  const { simulator, env } = await startProviders(t);
  const { shopify } = simulator;
  const { executors } = await startExecutors(t, { env });
  shopify.faults.add({ kind: 'status', status: 403, count: 1 });
  t.match(await executors.shopify!(order('#1001'), context()), { ok: false, code: 'SHOP_REFUSED' });
  shopify.faults.add({ kind: 'cut', count: 2 });
  shopify.faults.add({ kind: 'status', status: 502 });
  for (let call = 0; call < 5; call += 1)
    await t.rejects(executors.shopify!(order('#1001'), context()), { code: 'SHOP_AWAY', outcome: 'retry' });
  const struck = shopify.faults.list().reduce((sum, fault) => sum + fault.struck, 0);
  await t.rejects(executors.shopify!(order('#1001'), context()), {
    code: 'SHOP_AWAY',
    message: /left alone/,
  });
  t.equal(
    shopify.faults.list().reduce((sum, fault) => sum + fault.struck, 0),
    struck,
    'nobody asked',
  );
});

t.test('an expiring token is refreshed by one of two instances that race for it', async (t) => {
  const { simulator, env } = await startProviders(t);
  const { shopify } = simulator;
  shopify.data.addOrder({});
  const redis = await startRedis(t);
  const database = await createMysqlDatabase(t);
  const keys = { ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}` };
  const { SHOPIFY_ACCESS_TOKEN, SHOPIFY_SHOP_DOMAIN, ...rest } = env;
  const one = await startExecutors(t, { env: { ...rest, ...keys }, redis, database });
  const other = await startExecutors(t, { env: { ...rest, ...keys }, redis, database });
  const { accessToken, refreshToken } = shopify.issueTokens({ expiresInSeconds: 0 });
  const created = await one.call('POST', '/api/v1/shops', {
    ...{ shopDomain: SHOPIFY_SHOP_DOMAIN, accessToken, refreshToken, expiresInSeconds: 0 },
    ...{ clientId: shopify.clientId, clientSecret: shopify.apiSecret },
  });
  t.equal(created.status, 201, created.text);
  const calls = Array.from({ length: 12 }, (_, at) =>
    (at % 2 ? one : other).executors.shopify!(order('#1001'), context()),
  );
  for (const result of await Promise.all(calls))
    t.match(result, { ok: true, value: { record: { name: '#1001' } } });
  t.equal(shopify.refreshes, 1);

  // A token that ends before its time is found out, refreshed once, and the call made again.
  shopify.faults.add({ kind: 'expire', count: 1 });
  t.match(await other.executors.shopify!(order('#1001'), context()), { ok: true });
  t.equal(shopify.refreshes, 2);

  shopify.revokeTokens();
  t.match(await one.executors.shopify!(order('#1001'), context()), { ok: false, code: 'SHOP_UNAUTHORIZED' });
  t.match(await other.executors.shopify!(order('#1001'), context()), {
    ok: false,
    code: 'SHOP_UNAUTHORIZED',
  });
  const shops = (await one.call('GET', '/api/v1/shops')).data as { state: string }[];
  t.match(shops, [{ state: 'unauthorized', stateReason: /refused to refresh/ }]);
});

eachDatabase(
  t,
  'tokens are stored encrypted and shown to nobody; what a shop says of itself is cached',
  async (t, database) => {
    const { simulator, env } = await startProviders(t);
    const { shopify } = simulator;
    const { call, runtime } = await startExecutors(t, { env, database });
    const rows = JSON.stringify(await runtime.database.db.selectFrom('shops').selectAll().execute());
    t.notMatch(rows, /simulator-shop-token/);
    for (let look = 0; look < 3; look += 1) {
      const shown = await call('GET', '/api/v1/shops/shp_environment');
      t.match(shown.data, {
        shop: { setByEnvironment: true, state: 'active' },
        details: { name: 'Simulated shop', currencyCode: 'EUR' },
      });
      t.notMatch(shown.text, /token"|sealed|secret/i);
    }
    t.equal(shopify.queries().length, 1);
    const foreign = { shopDomain: 'evil.example.com', accessToken: 'x' };
    t.equal((await call('POST', '/api/v1/shops', foreign)).error.code, 'VALIDATION_FAILED');
    const own = { shopDomain: 'second-shop.myshopify.com', accessToken: 'shpat_1' };
    const { id } = (await call('POST', '/api/v1/shops', own)).data as { id: string };
    t.equal((await call('POST', '/api/v1/shops', own)).error.code, 'SHOP_EXISTS');
    t.equal((await call('PUT', `/api/v1/shops/${id}/tokens`, { accessToken: 'shpat_2' })).status, 200);
    t.equal(
      (await call('PUT', '/api/v1/shops/shp_environment/tokens', { accessToken: 'x' })).error.code,
      'SET_BY_ENVIRONMENT',
    );
    t.equal((await call('DELETE', `/api/v1/shops/${id}`)).status, 200);
    t.equal((await call('GET', `/api/v1/shops/${id}`)).error.code, 'SHOP_UNKNOWN');
  },
);
