import { loadConfig } from '@switchyard/config';
import t from 'tap';
import { checkHttpConfig, generateKeyPair, httpFields, succeed } from '../src/index.ts';
import { listen } from './helper.ts';

const load = (env: Record<string, string>) => loadConfig(httpFields(3000), env);

t.test('a service runs without any setting', async (t) => {
  t.match(load({}), {
    environment: 'development',
    host: '0.0.0.0',
    port: 3000,
    logLevel: 'info',
    shutdownTimeoutMs: 30_000,
    trustProxy: false,
  });
});

t.test('production asks for the public key and refuses a short API key', async (t) => {
  const production = { NODE_ENV: 'production', TOKEN_PUBLIC_KEY: generateKeyPair().publicKeyPem };
  t.throws(() => load({ NODE_ENV: 'production' }), {
    name: 'ConfigError',
    message: /^TOKEN_PUBLIC_KEY must be set/,
  });
  t.throws(() => checkHttpConfig(load({ ...production, SWITCHYARD_API_KEY: 'short' })), {
    name: 'ConfigError',
    message: /^SWITCHYARD_API_KEY must have at least 24 characters/,
  });
  t.doesNotThrow(() => checkHttpConfig(load({ ...production, SWITCHYARD_API_KEY: 'x'.repeat(24) })));
  t.doesNotThrow(() => checkHttpConfig(load({ SWITCHYARD_API_KEY: 'short' })));
});

t.test('unknown and impossible values are refused by name', async (t) => {
  for (const [variable, value] of Object.entries({
    NODE_ENV: 'staging',
    PORT: '70000',
    LOG_LEVEL: 'loud',
    HTTP_BODY_LIMIT_BYTES: '10MB',
    TRUST_PROXY: 'everyone',
    MAX_EVENT_LOOP_UTILIZATION: '2',
    SWITCHYARD_API_KEY: 'with a blank',
  })) {
    t.throws(() => load({ [variable]: value }), { name: 'ConfigError', variable }, variable);
  }
  await t.rejects(listen(t, { env: { TRUST_PROXY: '10.0.0.0/99' } }), {
    name: 'ConfigError',
    variable: 'TRUST_PROXY',
  });
});

t.test('only a trusted proxy can say who the client is', async (t) => {
  const seenWith = async (setting: string) => {
    const { url } = await listen(t, {
      env: { TRUST_PROXY: setting },
      routes: (app) => app.get('/ip', async ({ ip }) => succeed(ip)),
    });
    const response = await fetch(`${url}/ip`, {
      headers: { 'x-forwarded-for': '198.51.100.9, 203.0.113.7' },
    });
    return ((await response.json()) as { data: string }).data;
  };
  t.equal(await seenWith('false'), '127.0.0.1');
  t.equal(await seenWith('1'), '203.0.113.7');
  t.equal(await seenWith('2'), '198.51.100.9');
  t.equal(await seenWith('loopback'), '203.0.113.7');
  t.equal(await seenWith('10.0.0.0/8'), '127.0.0.1');
});
