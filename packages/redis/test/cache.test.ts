import { recordingLogger, silentLogger, startRedis, until } from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { type CacheOptions, cacheTtlSeconds, createCache } from '../src/index.ts';
import { connect, ready } from './helper.ts';

/** Two instances of a service: each its own connections and memory, one Redis. */
async function twoCaches(t: Test, options: Partial<CacheOptions> = {}) {
  const redis = await startRedis(t);
  const make = async () => {
    const client = connect(t, redis);
    await ready(client);
    const cache = createCache({ client, logger: silentLogger(), ...options });
    t.teardown(() => cache.close());
    await cache.ready();
    return { client, cache };
  };
  const [a, b] = [await make(), await make()];
  return { redis, a: a.cache, b: b.cache, client: a.client };
}

t.test('values are JSON, shared by all instances, and always expire', async (t) => {
  const { a, b, client } = await twoCaches(t);
  t.equal(await a.get('none'), null);
  t.equal(await a.exists('none'), false);
  for (const value of [{ list: [1, 'two', null], nested: { ok: true } }, 'text', 0, false, null, []]) {
    t.equal(await a.set('wh:session:+1555', value, 60), true);
    t.same(await b.get('wh:session:+1555'), value);
  }
  const pttl = await client.pttl('wh:session:+1555');
  t.ok(pttl > 59_000 && pttl <= 60_000, 'under exactly that key');
  t.equal(await b.exists('wh:session:+1555'), true);
  t.equal(await b.del('wh:session:+1555'), true);
  t.equal(await a.get('wh:session:+1555'), null);
  t.same([await a.incr('count'), await b.incr('count'), await a.incr('count', 5)], [1, 2, 3]);
  t.ok((await client.pttl('count')) > 86_000_000, 'the first addition sets the TTL');
  await a.set('short', 1, 0.05);
  await until(async () => (await b.get('short')) === null, { what: 'expired' });
  for (const ttl of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    await t.rejects(a.set('key', 1, ttl), RangeError);
  await t.rejects(a.set('key', undefined, 1), TypeError);
  t.same(cacheTtlSeconds, {
    userPermissions: 300,
    contactDetails: 60,
    campaignStats: 30,
    analyticsDashboard: 300,
    segmentCounts: 300,
  });
});

t.test('what is not JSON in Redis counts as absent, with a warning', async (t) => {
  const { client } = await twoCaches(t);
  const { logger, lines } = recordingLogger();
  const cache = createCache({ client, logger });
  t.teardown(() => cache.close());
  await client.set('key', '{half');
  t.equal(await cache.get('key'), null);
  t.equal(await cache.getCached('key', async () => 'whole', 60), 'whole');
  t.equal(await cache.get('key'), 'whole', 'and is replaced');
  t.ok(lines.some((line) => line.level === 40));
});

t.test('a wrong type in Redis is null or false, not an exception', async (t) => {
  const { a, client } = await twoCaches(t);
  await client.rpush('list', 'x');
  t.equal(await a.get('list'), null);
  t.equal(await a.incr('list'), null);
});

t.test('a namespace keeps keys apart', async (t) => {
  const { a, client } = await twoCaches(t);
  const other = createCache({ client, logger: silentLogger(), namespace: 'other' });
  t.teardown(() => other.close());
  await other.set('key', 1, 60);
  t.equal(await a.get('key'), null);
  t.equal(await client.get('other:key'), '1');
});

t.test('concurrent calls for one key share one fetch, and errors are not cached', async (t) => {
  const { a, b } = await twoCaches(t);
  let fetches = 0;
  const gate = Promise.withResolvers<void>();
  const fetch = async () => {
    fetches += 1;
    await gate.promise;
    return { value: 1 };
  };
  const calls = Array.from({ length: 50 }, () => a.getCached('key', fetch, 60));
  await until(() => fetches === 1);
  gate.resolve();
  const values = await Promise.all(calls);
  t.equal(fetches, 1);
  values[0]!.value = 2;
  t.same(values[1], { value: 1 }, 'everyone has a copy of its own');
  t.same(await a.getCached('key', fetch, 60), { value: 1 });
  t.same(await b.getCached('key', fetch, 60), { value: 1 }, 'from Redis');
  t.equal(fetches, 1);
  const failing = () => Promise.reject(new Error('database away'));
  await t.rejects(a.getCached('broken', failing, 60), { message: 'database away' });
  t.equal(await a.getCached('broken', async () => 'mended', 60), 'mended');
  t.equal(await a.getCached('nothing', async () => null, 60), null);
  t.equal(await a.getCached('nothing', async () => 'x', 60), null, 'null is a value');
});

t.test('memory answers without Redis, for its own TTL at most', async (t) => {
  const { a, client } = await twoCaches(t, { memoryTtlSeconds: 0.3 });
  await a.getCached('key', async () => 'old', 60);
  await client.set('key', '"changed behind our back"');
  t.equal(await a.getCached('key', async () => 'new', 60), 'old');
  await until(async () => (await a.getCached('key', async () => 'new', 60)) !== 'old', {
    what: 'memory expires',
  });
});

t.test('del and set in one instance reach the memory of the others', async (t) => {
  const { a, b } = await twoCaches(t, { memoryTtlSeconds: 600 });
  for (let round = 0; round < 50; round++) {
    const key = `key-${round}`;
    await a.getCached(key, async () => 'old', 60);
    t.equal(await b.getCached(key, async () => 'unused', 60), 'old');
    if (round % 2 === 0) await a.del(key);
    else await a.set(key, 'new', 60);
    await until(async () => (await b.getCached(key, async () => 'new', 60)) === 'new', {
      what: 'the invalidation arrived',
      timeoutMs: 2000,
    });
    t.equal(await a.getCached(key, async () => 'new', 60), 'new');
  }
});

t.test('a value that was fetched before an invalidation is not kept anywhere', async (t) => {
  const { a, b, client } = await twoCaches(t, { memoryTtlSeconds: 600 });
  const started = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const slow = a.getCached(
    'key',
    async () => {
      started.resolve();
      await gate.promise;
      return 'stale';
    },
    60,
  );
  await started.promise;
  t.equal(await b.del('key'), true);
  gate.resolve();
  t.equal(await slow, 'stale', 'it serves the call that asked before');
  t.equal(await client.get('key'), null);
  t.equal(await a.getCached('key', async () => 'fresh', 60), 'fresh');
  t.equal(await b.getCached('key', async () => 'unused', 60), 'fresh');
});

t.test('after a lost subscription nothing old is served', async (t) => {
  const { a, b, client } = await twoCaches(t, { memoryTtlSeconds: 600 });
  await a.getCached('key', async () => 'old', 60);
  await b.getCached('key', async () => 'unused', 60);
  await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await a.set('key', 'new', 60);
  await until(async () => (await b.getCached('key', async () => 'unused', 60)) === 'new', {
    timeoutMs: 3000,
  });
  await Promise.all([a.ready(), b.ready()]);
  await a.set('key', 'newer', 60);
  await until(async () => (await b.getCached('key', async () => 'unused', 60)) === 'newer', {
    timeoutMs: 3000,
  });
  t.pass('and invalidations arrive again');
});

t.test('a subscriber given by the caller is used and left open', async (t) => {
  const { redis, client } = await twoCaches(t);
  const subscriber = connect(t, redis, 'cache', { profile: 'worker' });
  const cache = createCache({ client, subscriber, logger: silentLogger() });
  await cache.ready();
  cache.close();
  t.equal(subscriber.status, 'ready');
});
