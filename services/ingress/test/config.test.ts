import { generateKeyPair } from '@switchyard/service-kit';
import { createSqliteDatabase, recordingLogger, spawnNode, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { loadIngressConfig } from '../src/index.ts';
import { resolveTokenKeys } from '../src/merchants/resolve-token-keys.ts';
import { environmentOf } from './ingress.ts';

t.test('a number without its app secret is refused by name', async (t) => {
  const env = { WHATSAPP_PHONE_NUMBER_ID: '1', WHATSAPP_ACCESS_TOKEN: 'token' };
  t.throws(() => loadIngressConfig(env), { name: 'ConfigError', variable: 'WHATSAPP_APP_SECRET' });
});

t.test('a shop without its secret, and strict mode without an archive, are refused by name', async (t) => {
  t.throws(() => loadIngressConfig({ SHOPIFY_SHOP_DOMAIN: 'a.myshopify.com' }), {
    name: 'ConfigError',
    variable: 'SHOPIFY_API_SECRET',
  });
  const env = { INGRESS_STRICT: 'true', INGRESS_ARCHIVE_RETENTION_DAYS: '0' };
  t.throws(() => loadIngressConfig(env), { name: 'ConfigError', variable: 'INGRESS_STRICT' });
});

t.test('production does not start without keys of its own', async (t) => {
  const { publicKeyPem } = generateKeyPair();
  const env = {
    NODE_ENV: 'production',
    TOKEN_PUBLIC_KEY: publicKeyPem,
    ENCRYPTION_KEYS: `a:${'A'.repeat(43)}=`,
  };
  t.throws(() => loadIngressConfig(env), { name: 'ConfigError', variable: 'TOKEN_SIGNING_KEY' });
});

t.test(
  'the keys of tokens: both halves must fit; without any, a key of the process with a warning',
  async (t) => {
    const { logger, lines } = recordingLogger();
    const one = generateKeyPair();
    const two = generateKeyPair();
    const keys = (env: Record<string, string>) => resolveTokenKeys(loadIngressConfig(env), logger);
    const both = { TOKEN_SIGNING_KEY: one.privateKeyPem, TOKEN_PUBLIC_KEY: one.publicKeyPem };
    t.equal(keys(both).issuer?.publicKeyPem, one.publicKeyPem);
    t.equal(keys({ TOKEN_SIGNING_KEY: one.privateKeyPem }).publicKeys, one.publicKeyPem);
    const rotating = `${two.publicKeyPem}${one.publicKeyPem}`;
    t.equal(keys({ ...both, TOKEN_PUBLIC_KEY: rotating }).publicKeys, rotating);
    t.throws(() => keys({ ...both, TOKEN_PUBLIC_KEY: two.publicKeyPem }), {
      name: 'ConfigError',
      variable: 'TOKEN_PUBLIC_KEY',
    });
    t.throws(() => keys({ TOKEN_SIGNING_KEY: 'x' }), { name: 'ConfigError', variable: 'TOKEN_SIGNING_KEY' });
    t.equal(lines.length, 0);
    t.equal(keys({ TOKEN_PUBLIC_KEY: one.publicKeyPem }).issuer, undefined);
    t.ok(keys({}).issuer);
    t.equal(lines.length, 2);
  },
);

t.test('the process starts, stops on SIGTERM with exit 0, and says in one line what is wrong', async (t) => {
  const redis = await startRedis(t);
  const environment = environmentOf(redis, await createSqliteDatabase(t));
  const main = new URL('../src/main.ts', import.meta.url);
  const good = spawnNode(t, main, { env: environment });
  await good.waitForLine(/listening at http/i);
  t.same(await good.kill('SIGTERM'), { code: 0, signal: null });
  const bad = spawnNode(t, main, { env: { ...environment, WHATSAPP_APP_SECRET: undefined } });
  t.match(await bad.exited, { code: 1 });
  t.match(bad.output, /^ingress: WHATSAPP_APP_SECRET must be set .*\n$/);
});
