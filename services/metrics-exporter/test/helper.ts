import { randomBytes } from 'node:crypto';
import { createTokenIssuer, generateKeyPair } from '@switchyard/service-kit';
import { silentLogger, startRedis, type TestRedis } from '@switchyard/test-kit';
import type { Test } from 'tap';
import { buildApp } from '../src/app.ts';
import { loadMetricsExporterConfig } from '../src/config.ts';

const apiKey = 'sk_test_0123456789abcdef0123456789';
const keys = generateKeyPair();
const issuer = createTokenIssuer({ privateKeyPem: keys.privateKeyPem, ttlSeconds: 600 });

/** The header of a login to the dashboard. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The login of development. */
export const login = basic('admin', 'admin123');

/** The header of a token with these scopes. */
export async function bearer(scopes: readonly string[], merchantId = 'default'): Promise<string> {
  const { token } = await issuer.issue({ subject: 'tester', merchantId, scopes });
  return `Bearer ${token}`;
}

/** A running metrics-exporter on a Redis of its own and the given database. */
export async function startExporter(
  t: Pick<Test, 'teardown'>,
  database: { url: string | undefined; dataDir: string },
  env: Record<string, string> = {},
  redis?: TestRedis,
) {
  redis ??= await startRedis(t);
  const config = loadMetricsExporterConfig({
    NODE_ENV: 'test',
    PORT: '0',
    HOST: '127.0.0.1',
    REDIS_URL: redis.url,
    DATA_DIR: database.dataDir,
    ...(database.url === undefined ? {} : { DATABASE_URL: database.url }),
    SWITCHYARD_API_KEY: apiKey,
    TOKEN_PUBLIC_KEY: keys.publicKeyPem,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ...env,
  });
  const runtime = await buildApp(config, { logger: silentLogger() });
  t.teardown(() => runtime.close());
  await runtime.start();
  /** A call of the API, by default with the API key. */
  const get = async (url: string, authorization = `Bearer ${apiKey}`) => {
    const response = await runtime.app.inject({ method: 'GET', url, headers: { authorization } });
    return { status: response.statusCode, body: response.json() as { success: boolean; data: never } };
  };
  /** The samples of a scrape, as they are written. */
  const scrape = async () => (await runtime.app.inject('/metrics')).body.split('\n');
  /** A request to the dashboard, by default of one who is logged in. */
  const board = (
    method: 'GET' | 'PUT' | 'POST' | 'PATCH',
    path: string,
    headers: Record<string, string> = {},
    payload?: Record<string, unknown>,
  ) =>
    runtime.app.inject({
      method,
      url: `/admin/queues${path}`,
      headers: { authorization: login, ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
  return { runtime, redis, get, scrape, board };
}
