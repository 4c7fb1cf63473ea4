import { recordingLogger, startRedis, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { createMetrics, type ServiceApp, succeed } from '../src/index.ts';
import { bearer, listen } from './helper.ts';

/** A client with the settings of one that serves requests: it fails fast when Redis is dead or hung. */
function clientOf(t: Test, url: string): Redis {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 500,
    retryStrategy: (times) => Math.min(times * 50, 500),
  });
  client.on('error', () => undefined);
  t.teardown(() => client.disconnect());
  return client;
}

async function readyClientOf(t: Test, url: string): Promise<Redis> {
  const client = clientOf(t, url);
  await until(() => client.status === 'ready', { what: 'a ready client' });
  return client;
}

function routes(app: ServiceApp): void {
  app.get('/api/v1/work', async () => succeed(null));
}

t.test('the roles are in app.redis, and closing the app leaves them open', async (t) => {
  const redis = await startRedis(t);
  const cache = await readyClientOf(t, `${redis.url}/0`);
  const queue = await readyClientOf(t, `${redis.url}/1`);
  const { app } = await listen(t, { redis: { cache, queue } });
  t.equal(app.redis.cache, cache);
  t.equal(app.redis.queue, queue);
  await app.close();
  t.equal(await cache.ping(), 'PONG');
});

t.test('a role that is away does not keep the app from starting', async (t) => {
  const cache = clientOf(t, 'redis://127.0.0.1:1');
  const { app, url } = await listen(t, { redis: { cache }, routes });
  t.equal(app.redis.cache, cache);
  t.equal((await fetch(`${url}/api/v1/work`, { headers: await bearer() })).status, 200);
});

t.test('API calls are limited per caller, across instances', async (t) => {
  const redis = await startRedis(t);
  const env = { API_RATE_PER_MINUTE: '3' };
  const one = await listen(t, { env, routes, redis: { cache: await readyClientOf(t, redis.url) } });
  const two = await listen(t, { env, routes, redis: { cache: await readyClientOf(t, redis.url) } });
  const call = async (url: string, subject: string) =>
    fetch(`${url}/api/v1/work`, { headers: await bearer({ subject }) });

  const first = await call(one.url, 'a');
  t.equal(first.headers.get('x-ratelimit-limit'), '3');
  t.equal(first.headers.get('x-ratelimit-remaining'), '2');
  t.equal((await call(two.url, 'a')).status, 200);
  t.equal((await call(one.url, 'a')).status, 200);
  const refused = await call(two.url, 'a');
  t.equal(refused.status, 429);
  t.ok(Number(refused.headers.get('retry-after')) > 0);
  t.match(await refused.json(), {
    success: false,
    error: { code: 'RATE_LIMITED', details: { perMinute: 3 } },
  });
  t.equal((await call(one.url, 'b')).status, 200, 'another caller is not concerned');
});

t.test(
  'refused credentials are limited more strictly; good ones from the same address still pass',
  async (t) => {
    const redis = await startRedis(t);
    const { url } = await listen(t, {
      env: { AUTH_FAILURES_PER_MINUTE: '2' },
      routes,
      redis: { cache: await readyClientOf(t, redis.url) },
    });
    const guess = async () =>
      (await fetch(`${url}/api/v1/work`, { headers: { authorization: 'Bearer guess' } })).status;
    t.same([await guess(), await guess(), await guess()], [401, 401, 429]);
    t.equal((await fetch(`${url}/api/v1/work`, { headers: await bearer() })).status, 200);
  },
);

t.test('limits fail open with one warning while Redis is hung or dead, and cost one time-out', async (t) => {
  const redis = await startRedis(t);
  const { logger, lines } = recordingLogger();
  const { url } = await listen(t, { logger, routes, redis: { cache: await readyClientOf(t, redis.url) } });
  const headers = await bearer();
  const call = async () => (await fetch(`${url}/api/v1/work`, { headers })).status;
  t.equal(await call(), 200);
  await redis.freeze();
  const startedMs = performance.now();
  for (let count = 0; count < 20; count++) t.equal(await call(), 200);
  t.ok(performance.now() - startedMs < 10_000, 'twenty calls');
  t.equal(lines.filter(({ msg }) => msg.startsWith('⚠️  Redis unavailable')).length, 1);
  redis.thaw();
  await redis.kill();
  t.equal(await call(), 200);
});

t.test('Redis round trips are measured by role, pipelines included, blocking commands not', async (t) => {
  const redis = await startRedis(t);
  const metrics = createMetrics({ service: 'tested' });
  const client = await readyClientOf(t, redis.url);
  metrics.instrumentRedis(client, 'cache');
  await client.set('a', '1');
  t.equal(await client.get('a'), '1', 'answers are as before');
  await client.pipeline().get('a').get('b').exec();
  await client.blpop('nothing', 0.01);
  await t.rejects(client.lpush('a', 'x'));
  const text = await metrics.registry.metrics();
  t.match(text, /round_trip_seconds_count\{.*role="cache",outcome="ok"\} 4$/m);
  t.match(text, /round_trip_seconds_count\{.*role="cache",outcome="error"\} 1$/m);
});
