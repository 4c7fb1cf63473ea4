import { eachDatabase } from '@switchyard/test-kit';
import t from 'tap';
import { context, startExecutors, startProviders } from './helper.ts';

eachDatabase(
  t,
  'after a new key in front, the next start seals everything with it, and the old key may go',
  async (t, database) => {
    const { simulator, env } = await startProviders(t);
    const { SHOPIFY_ACCESS_TOKEN, SHOPIFY_SHOP_DOMAIN, AI_API_KEY, AI_MODEL, AI_BASE_URL, ...rest } = env;
    const [older, newer] = [7, 8].map((fill) => `k${fill}:${Buffer.alloc(32, fill).toString('base64')}`) as [
      string,
      string,
    ];
    const start = (keys: string) =>
      startExecutors(t, {
        env: { ...rest, ENCRYPTION_KEYS: keys, FLOW_HTTP_ALLOW_PRIVATE_NETWORKS: 'true' },
        database,
      });
    const first = await start(older);
    const provider = { name: 'Own', baseUrl: AI_BASE_URL, apiKey: AI_API_KEY, model: AI_MODEL };
    t.equal((await first.call('POST', '/api/v1/ai-providers', provider)).status, 201);
    const shop = {
      shopDomain: SHOPIFY_SHOP_DOMAIN,
      accessToken: SHOPIFY_ACCESS_TOKEN,
      refreshToken: 'r',
      clientId: 'c',
      clientSecret: 's',
    };
    t.equal((await first.call('POST', '/api/v1/shops', shop)).status, 201);
    await first.runtime.close();
    await (await start(`${newer},${older}`)).runtime.close();
    const { executors } = await start(newer);
    simulator.shopify.data.addOrder({});
    const messages = [{ role: 'user', content: 'Hello' }];
    t.match(await executors['ai-reply']!({ kind: 'ai-reply', messages }, context()), { ok: true });
    t.match(
      await executors.shopify!({ kind: 'shopify', resource: 'order', by: 'name', value: '1001' }, context()),
      { ok: true, value: { record: { name: '#1001' } } },
    );
  },
);
