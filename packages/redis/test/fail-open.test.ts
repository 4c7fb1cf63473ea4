import { recordingLogger, startRedis, until } from '@switchyard/test-kit';
import t from 'tap';
import {
  createBudget,
  createCache,
  createLocks,
  createRateLimiter,
  createSharedBreaker,
} from '../src/index.ts';
import { connect, ready, timed } from './helper.ts';

const outages = {
  dead: { begin: (redis: Redis) => redis.kill(), end: (redis: Redis) => redis.start() },
  hung: { begin: (redis: Redis) => redis.freeze(), end: async (redis: Redis) => redis.thaw() },
};
type Redis = Awaited<ReturnType<typeof startRedis>>;

for (const [kind, outage] of Object.entries(outages)) {
  for (const profile of ['request', 'worker'] as const) {
    t.test(`${kind} Redis, ${profile} client: everything goes on in bounded time`, async (t) => {
      const redis = await startRedis(t, { aof: true });
      const { logger, lines } = recordingLogger();
      const client = connect(t, redis, 'cache', { profile });
      await ready(client);
      const cache = createCache({ client, logger });
      t.teardown(() => cache.close());
      const locks = createLocks({ client, logger });
      const limiter = createRateLimiter({ client, logger, points: 2, durationSeconds: 60, keyPrefix: 'a' });
      const breaker = createSharedBreaker({ client, logger, name: 'b', minimumFailures: 2 });
      const budget = createBudget({
        client,
        logger,
        name: 'c',
        assumed: { maximum: 100, restorePerSecond: 10 },
      });
      await cache.ready();
      t.equal(await cache.set('key', 'value', 60), true);
      t.equal(await cache.getCached('cached', async () => 'before', 60), 'before');
      t.equal(await locks.acquireLock('held', 60), true);
      t.equal(await locks.isRedisAvailable(), true);
      await breaker.run('known', async () => 1);

      await outage.begin(redis);
      const bounded = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
        const { tookMs, value, error } = await timed(work);
        t.ok(tookMs < 5000, `${what} took ${Math.round(tookMs)} ms`);
        if (error !== undefined) throw error;
        return value as T;
      };
      t.equal(await bounded('get', () => cache.get('key')), null);
      t.equal(await bounded('set', () => cache.set('key', 1, 60)), false);
      t.equal(await bounded('del', () => cache.del('key')), false);
      t.equal(await bounded('exists', () => cache.exists('key')), false);
      t.equal(await bounded('incr', () => cache.incr('count')), null);
      let fetches = 0;
      const fetch = async () => ++fetches;
      t.equal(await bounded('getCached', () => cache.getCached('other', fetch, 60)), 1);
      // That the others' invalidations can't be heard may be noticed only now, which empties the memory once.
      await until(
        async () => {
          const before = fetches;
          await bounded('getCached', () => cache.getCached('other', fetch, 60));
          return fetches === before;
        },
        { what: 'memory stands in' },
      );
      t.equal(await bounded('acquireLock', () => locks.acquireLock('new', 60)), true, 'open');
      t.equal(await bounded('acquireLock', () => locks.acquireLock('new', 60)), false, 'but not twice here');
      t.equal(await bounded('acquireLock', () => locks.acquireLock('held', 60)), false);
      t.equal(await bounded('extendLock', () => locks.extendLock('held', 60)), true);
      t.equal(await bounded('releaseLock', () => locks.releaseLock('new')), true);
      t.equal(await bounded('isRedisAvailable', () => locks.isRedisAvailable()), false);
      const answers = [];
      for (let i = 0; i < 3; i++)
        answers.push((await bounded('consume', () => limiter.consume('k'))).allowed);
      t.same(answers, [true, true, false], 'this process still counts');
      t.equal(await bounded('breaker', () => breaker.run('known', async () => 2)), 2);
      for (let i = 0; i < 2; i++)
        await t.rejects(
          bounded('breaker', () => breaker.run('x', () => Promise.reject(new Error('down')))),
          { message: 'down' },
        );
      await t.rejects(
        bounded('breaker', () => breaker.run('x', async () => 3)),
        { code: 'CIRCUIT_OPEN', outcome: 'later' },
        'a breaker opens by what this process sees',
      );
      t.equal(await bounded('take', () => budget.take('shop', 100)), 0);
      t.ok((await bounded('take', () => budget.take('shop', 50))) > 1000, 'a budget is kept here');
      await bounded('update', () =>
        budget.update('shop', { available: 1, maximum: 100, restorePerSecond: 10 }),
      );
      const { tookMs } = await timed(async () => {
        for (let i = 0; i < 100; i++) await locks.acquireLock(`many-${i}`, 1);
      });
      t.ok(tookMs < 20_000, `100 calls in a row are not 100 time-outs: ${Math.round(tookMs)} ms`);
      for (const what of [
        'in-process memory',
        'locks',
        'rate limits',
        'circuit breakers',
        'provider budgets',
      ])
        t.ok(
          lines.filter((line) => line.msg.startsWith('⚠️  Redis unavailable') && line.msg.includes(what))
            .length === 1,
          `one warning names the fallback for ${what}`,
        );

      await outage.end(redis);
      await until(() => cache.set('again', 1, 60), { what: 'the cache works again' });
      t.equal(await cache.get('again'), 1);
      let tries = 0;
      const isShared = async () => {
        const key = `again-${++tries}`;
        return (await locks.acquireLock(key, 60)) && (await client.exists(`lock:${key}`)) === 1;
      };
      await until(isShared, { what: 'locks are in Redis again', intervalMs: 100 });
      t.equal(await locks.isRedisAvailable(), true);
    });
  }
}

t.test('a client that was never connected does not hold anything up', async (t) => {
  const redis = await startRedis(t);
  await redis.kill();
  const { logger } = recordingLogger();
  const client = connect(t, redis);
  const cache = createCache({ client, logger });
  t.teardown(() => cache.close());
  const { tookMs } = await timed(async () => {
    t.equal(await cache.get('key'), null);
    t.equal(await cache.getCached('key', async () => 'fetched', 60), 'fetched');
    t.equal(await createLocks({ client, logger }).acquireLock('key', 1), true);
  });
  t.ok(tookMs < 900);
});
