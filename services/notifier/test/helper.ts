import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger, startRedis, type TestRedis } from '@switchyard/test-kit';
import type { Test } from 'tap';
import { buildApp } from '../src/app.ts';
import { loadNotifierConfig } from '../src/config.ts';

export const apiKey = 'sk_test_0123456789abcdef0123456789';

/** One request that a receiver got. */
export interface Received {
  headers: IncomingMessage['headers'];
  body: string;
}

/** A merchant's endpoint: answers what `answer` says and keeps what it was sent. */
export async function startReceiver(
  t: Test,
  answer: (request: Received, count: number) => { status: number; headers?: Record<string, string> },
) {
  const received: Received[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const entry = { headers: request.headers, body };
      received.push(entry);
      const { status, headers } = answer(entry, received.length);
      response.writeHead(status, headers).end();
      for (const each of waiting) if (received.length >= each.count) each.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  );
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    /** Resolves when so many requests have come. */
    receivedCount: (count: number) =>
      new Promise<void>((resolve) => {
        if (received.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
  };
}

/** The environment of a notifier on this Redis and this database. */
export function environment(
  redis: { url: string },
  database: { url: string | undefined; dataDir: string },
  env: Record<string, string> = {},
): Record<string, string> {
  return {
    NODE_ENV: 'test',
    PORT: '0',
    HOST: '127.0.0.1',
    REDIS_URL: redis.url,
    DATA_DIR: database.dataDir,
    ...(database.url === undefined ? {} : { DATABASE_URL: database.url }),
    SWITCHYARD_API_KEY: apiKey,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    WEBHOOK_ALLOW_PRIVATE_NETWORKS: 'true',
    QUEUE_WEBHOOKS_BACKOFF_DELAY: '50',
    QUEUE_EMAILS_BACKOFF_DELAY: '50',
    // On a busy machine a test's own process is late; it must not be told so instead of an answer.
    MAX_EVENT_LOOP_DELAY_MS: '0',
    ...env,
  };
}

/** A running notifier on the given database, and on a Redis of its own unless one is given. */
export async function startNotifier(
  t: Test,
  database: { url: string | undefined; dataDir: string },
  env: Record<string, string> = {},
  redis?: TestRedis,
) {
  redis ??= await startRedis(t);
  const config = loadNotifierConfig(environment(redis, database, env));
  const runtime = await buildApp(config, { logger: silentLogger() });
  t.teardown(() => runtime.close());
  await runtime.start();
  const call = async (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    payload?: Record<string, unknown>,
  ) => {
    const response = await runtime.app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${apiKey}` },
      ...(payload === undefined ? {} : { payload }),
    });
    return {
      status: response.statusCode,
      ...(response.json() as { success: boolean; data: never; error: { code: string } }),
    };
  };
  return { runtime, redis, call };
}
