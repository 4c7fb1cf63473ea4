import { startSimulator } from '@switchyard/simulator';
import { createSqliteDatabase, spawnNode, startRedis } from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { runCli } from '../src/index.ts';

const API_KEY = 'operator-key-of-these-tests';
const NUMBER = '100000000000001';
const SHOP = 'First-Shop.myshopify.com';

async function startService(t: Test, name: string, env: Record<string, string>) {
  const { dataDir } = await createSqliteDatabase(t);
  const main = new URL(`../../../services/${name}/src/main.ts`, import.meta.url);
  const common = {
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'info',
    SWITCHYARD_API_KEY: API_KEY,
  };
  const process = spawnNode(t, main, { env: { ...common, ...env, DATA_DIR: dataDir } });
  const line = await process.waitForLine(/listening at http/i);
  return /http:\/\/[\d.:]+/.exec(line)![0];
}

async function run(args: string[], env: Record<string, string>) {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const code = await runCli(args, env, { print, complain: print });
  return { code, text: lines.join('\n') };
}

t.test('a number and a shop are connected by one command each, which may be run again', async (t) => {
  const redis = await startRedis(t);
  const ingress = await startService(t, 'ingress', { REDIS_URL: redis.url });
  const senders = await startService(t, 'campaign-sender', { REDIS_URL: redis.url });
  const simulator = await startSimulator({
    webhookUrl: `${ingress}/webhooks/whatsapp`,
    numbers: [{ id: NUMBER }],
  });
  t.teardown(() => simulator.close());
  const { accessToken, appSecret, verifyToken, businessAccountId } = simulator.credentials;
  const env = {
    SWITCHYARD_API_KEY: API_KEY,
    WHATSAPP_APP_SECRET: appSecret,
    WHATSAPP_ACCESS_TOKEN: accessToken,
    WHATSAPP_VERIFY_TOKEN: verifyToken,
    SHOPIFY_API_SECRET: 'shpss_first-secret',
  };
  const urls = ['--url', ingress, '--senders-url', senders, '--graph-url', `${simulator.url}/v24.0`];
  const number = ['connect', 'whatsapp', '--number', NUMBER, '--account', businessAccountId, ...urls];
  const get = async (path: string, url = ingress) => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${API_KEY}` } });
    return ((await answer.json()) as { data: never }).data;
  };

  t.same(await run(number, env), {
    code: 0,
    text: [
      `added ${NUMBER}`,
      'added the sender',
      'a signed test event was accepted',
      "subscribed to the account's webhooks",
    ].join('\n'),
  });
  t.match(await simulator.verifyWebhook(), { ok: true }, 'the provider can verify the webhook');

  const again = await run([...number, '--webhook-url', `${ingress}/webhooks/whatsapp`], env);
  t.match(again, { code: 0, text: new RegExp(`^${NUMBER} is known\nthe sender has the token`) });
  t.match(await get('/api/v1/sources'), [
    { sourceKey: NUMBER, accountKey: businessAccountId, status: 'active' },
  ]);
  t.equal(((await get('/api/v1/sources')) as unknown[]).length, 1);
  t.equal(((await get('/api/v1/apps')) as unknown[]).length, 1);
  t.equal(((await get('/api/v1/senders', senders)) as { items: unknown[] }).items.length, 1);

  const shop = ['connect', 'shopify', '--shop', SHOP, ...urls];
  t.match(await run(shop, env), { code: 0, text: /^added first-shop\.myshopify\.com\na signed test event/ });
  const rotated = await run(shop, { ...env, SHOPIFY_API_SECRET: 'shpss_second-secret' });
  t.match(rotated, { code: 0, text: /is known\nthe secret is new/ });

  const refused = await run(number, { ...env, WHATSAPP_ACCESS_TOKEN: 'wrong' });
  t.match(refused, { code: 1, text: /the provider refuses the subscription/ });
  const text = JSON.stringify([again, rotated, refused]);
  for (const secret of [appSecret, accessToken, 'shpss_'])
    t.notOk(text.includes(secret), 'no secret is printed');
});

t.test('what is wrong is said in one line', async (t) => {
  const env = { SWITCHYARD_API_KEY: API_KEY, SHOPIFY_API_SECRET: 'x' };
  const shop = ['connect', 'shopify', '--shop', SHOP];
  t.same(await run(shop, {}), { code: 1, text: 'SHOPIFY_API_SECRET must be set' });
  t.same(await run(['connect', 'shopify'], env), { code: 1, text: '--shop must be given' });
  t.match(await run([...shop, '--url', 'http://127.0.0.1:9'], env), {
    code: 1,
    text: /^http:\/\/127\.0\.0\.1:9 can't be reached/,
  });
  t.match(await run(['connect', 'telegram'], env), { code: 2, text: /^unknown command: connect telegram/ });
  t.match(await run(['connect', '--nothing'], env), { code: 2, text: /Unknown option '--nothing'/ });
  t.match(await run(['--help'], {}), { code: 0, text: /^switchyard connect whatsapp/ });
});
