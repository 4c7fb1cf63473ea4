import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { catalog, type JobName, type JobPayload, type QueueName } from '@switchyard/jobs';
import { recordingLogger, signMeta, type TestDatabase, type TestRedis, until } from '@switchyard/test-kit';
import type { Test } from 'tap';
import { Agent, request as send } from 'undici';
import { buildApp, loadIngressConfig } from '../src/index.ts';
import { NUMBER, WABA } from './fixtures/payloads.ts';
import { SHOP, shopifyHeaders } from './fixtures/shopify.ts';

export const SECRET = 'secret-of-the-environment-app';
export const VERIFY_TOKEN = 'verify-me-please';
export const SHOP_SECRET = 'shpss_secret-of-the-first-shop';
export const ALERTMANAGER_TOKEN = 'token-of-the-alertmanager';
export const API_KEY = 'operator-key-of-these-tests';

/** What the tests read of an answer. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  // biome-ignore format: one line
  body: { success: boolean; data: Record<string, never>; error: { code: string; message: string } };
}

/** The environment of an ingress on these servers. */
export function environmentOf(redis: TestRedis, database: TestDatabase, over: Record<string, string> = {}) {
  return {
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'info',
    REDIS_URL: redis.url,
    DATA_DIR: database.dataDir,
    ...(database.url !== undefined && { DATABASE_URL: database.url }),
    SWITCHYARD_API_KEY: API_KEY,
    WHATSAPP_PHONE_NUMBER_ID: NUMBER,
    WHATSAPP_ACCESS_TOKEN: 'token-of-the-first-number',
    WHATSAPP_APP_SECRET: SECRET,
    WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN,
    WHATSAPP_BUSINESS_ACCOUNT_ID: WABA,
    SHOPIFY_SHOP_DOMAIN: SHOP,
    SHOPIFY_API_SECRET: SHOP_SECRET,
    ALERTMANAGER_TOKEN,
    AUTH_FAILURES_PER_MINUTE: '0',
    // On a busy machine a test's own process is late; it must not be told so instead of an answer.
    MAX_EVENT_LOOP_DELAY_MS: '0',
    ...over,
  };
}

/** Starts an ingress in this process; it stops with the test. */
export async function startIngress(t: Test, environment: Record<string, string>) {
  const { logger, lines } = recordingLogger();
  const runtime = await buildApp(loadIngressConfig(environment), { logger });
  t.teardown(() => runtime.close());
  await runtime.start();
  const address = runtime.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { runtime, lines, ...createClient(t, `http://127.0.0.1:${address.port}`) };
}

/** Calls one ingress. */
export function createClient(t: Test, url: string) {
  const agent = new Agent({ connections: 64 });
  t.teardown(() => agent.destroy());

  async function call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    options: { body?: unknown; headers?: Record<string, string>; key?: string } = {},
  ): Promise<Answer> {
    const { body, key = API_KEY } = options;
    const answer = await send(`${url}${path}`, {
      method,
      dispatcher: agent,
      headers: {
        ...(key !== '' && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body !== undefined && {
        body: typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body),
      }),
    });
    const text = await answer.body.text();
    const isJson = String(answer.headers['content-type']).includes('json');
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
    };
  }

  /** Posts a webhook as the provider does. */
  function webhook(payload: unknown, options: { secret?: string; signature?: string } = {}) {
    const body = typeof payload === 'string' || payload instanceof Buffer ? payload : JSON.stringify(payload);
    const signature = options.signature ?? signMeta(body, options.secret ?? SECRET);
    return call('POST', '/webhooks/whatsapp', {
      body,
      key: '',
      headers: { 'x-hub-signature-256': signature },
    });
  }

  /** Posts a Shopify webhook as Shopify does. */
  function shopify(
    payload: unknown,
    options: { secret?: string; signature?: string; headers?: Record<string, string> } = {},
  ) {
    const body = typeof payload === 'string' || payload instanceof Buffer ? payload : JSON.stringify(payload);
    const secret = options.secret ?? SHOP_SECRET;
    const signature = options.signature ?? createHmac('sha256', secret).update(body).digest('base64');
    return call('POST', '/webhooks/shopify', {
      body,
      key: '',
      headers: { ...shopifyHeaders, 'x-shopify-hmac-sha256': signature, ...options.headers },
    });
  }
  return { url, call, webhook, shopify };
}

type Ingress = Awaited<ReturnType<typeof startIngress>>;

/** The payloads of a queue's waiting jobs, oldest first, once all that is committed has been added in the background. */
export async function jobsIn<Q extends QueueName, J extends JobName<Q>>(
  ingress: Pick<Ingress, 'runtime'>,
  queue: Q,
  name: J,
): Promise<JobPayload<Q, J>[]> {
  if (!Object.hasOwn(catalog[queue].jobs, name)) throw new Error(`no job ${name}`);
  await until(async () => (await ingress.runtime.outbox.pending()) === 0, {
    what: 'every committed job to be added',
    timeoutMs: 30_000,
  });
  const jobs = await ingress.runtime.producer.queue(queue).getJobs(['waiting', 'delayed'], 0, -1, true);
  return jobs.filter((job) => job.name === name).map((job) => job.data.payload);
}

/** Rejects when a promise takes longer: for what must not hang. */
export async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  const abort = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`took longer than ${timeoutMs} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    abort.abort();
  }
}
