import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { recordingLogger, startRedis, until } from '@switchyard/test-kit';
import { Cluster } from 'ioredis';
import t from 'tap';
import {
  checkRedisAtStart,
  connectRedis,
  createBudget,
  createCache,
  createLocks,
  createRateLimiter,
  createSharedBreaker,
} from '../src/index.ts';
import { settingsOf, timed } from './helper.ts';

const run = promisify(execFile);

t.test('Cluster: three real nodes serve every part, and a dead node fails open', async (t) => {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '5000'];
  const nodes = await Promise.all([0, 1, 2].map(() => startRedis(t, { args })));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { timeout: 15_000 });
  // Each node must have heard of every slot: the command returns a little earlier.
  for (const { port } of nodes)
    await until(
      async () =>
        (await run('redis-cli', ['-p', String(port), 'cluster', 'info'])).stdout.includes('cluster_state:ok'),
      { what: `node ${port} to see a whole cluster` },
    );
  const { logger, lines } = recordingLogger();
  const settings = settingsOf({ REDIS_CLUSTER_NODES: addresses.slice(0, 2).join() });
  const client = connectRedis(settings.cache, { profile: 'request', logger });
  const queue = connectRedis(settings.queue, { profile: 'worker', logger });
  t.teardown(() => {
    client.disconnect();
    queue.disconnect();
  });
  await checkRedisAtStart(client, settings.cache, { production: true, logger });
  await checkRedisAtStart(queue, settings.queue, { production: true, logger });
  t.ok(client instanceof Cluster);

  const [a, b] = [createCache({ client, logger }), createCache({ client, logger })];
  t.teardown(() => {
    a.close();
    b.close();
  });
  await Promise.all([a.ready(), b.ready()]);
  t.equal(await a.set('key', { x: 1 }, 60), true);
  t.same(await b.getCached('key', async () => 'unused', 60), { x: 1 });
  t.equal(await client.get('{sw-cache}:key'), '{"x":1}');
  t.equal(await a.del('key'), true);
  await until(async () => (await b.getCached('key', async () => 'new', 60)) === 'new', {
    what: 'invalidation crosses the cluster',
  });
  t.equal(await a.incr('count'), 1);
  const locks = createLocks({ client, logger });
  const others = createLocks({ client, logger });
  t.equal(await locks.acquireLock('key', 60), true);
  t.equal(await others.acquireLock('key', 60), false);
  t.equal(await locks.extendLock('key', 60), true);
  t.equal(await locks.releaseLock('key'), true);
  const limiter = createRateLimiter({ client, logger, points: 1, durationSeconds: 60, keyPrefix: 'a' });
  t.equal((await limiter.consume('k')).allowed, true);
  t.equal((await limiter.consume('k')).allowed, false);
  const breaker = createSharedBreaker({ client: queue, logger, name: 'b', minimumFailures: 1 });
  await t.rejects(
    breaker.run('x', () => Promise.reject(new Error('down'))),
    { message: 'down' },
  );
  await t.rejects(
    breaker.run('x', async () => 1),
    { code: 'CIRCUIT_OPEN' },
  );
  const budget = createBudget({
    client: queue,
    logger,
    name: 'c',
    assumed: { maximum: 10, restorePerSecond: 1 },
  });
  t.equal(await budget.take('shop', 10), 0);
  t.equal(await queue.exists('{sw-queue}:sw:budget:c:shop'), 1);
  t.strictSame(
    lines.filter((line) => line.level >= 40),
    [],
    'without a warning',
  );

  const slot = await client.cluster('KEYSLOT', '{sw-cache}:key');
  const holder = nodes[Math.min(2, Math.floor(slot / 5461))]!;
  await holder.kill();
  for (let i = 0; i < 5; i++) {
    const { value, tookMs } = await timed(() => locks.acquireLock(`dead-${i}`, 60));
    t.equal(value, true);
    t.ok(tookMs < 5000, `${tookMs} ms`);
  }
  t.equal(await a.get('key'), null);
});

t.test(
  'Cluster: a node of a cluster behind REDIS_URL, and a lone Redis as cluster, are told apart',
  async (t) => {
    const lone = await startRedis(t);
    const { logger } = recordingLogger();
    const { queue } = settingsOf({ REDIS_CLUSTER_NODES: `127.0.0.1:${lone.port}` });
    const client = connectRedis(queue, { profile: 'worker', logger });
    const { error, tookMs } = await timed(() =>
      checkRedisAtStart(client, queue, { production: true, logger }),
    );
    t.match(error, {
      name: 'ConfigError',
      message: /^REDIS_CLUSTER_NODES names a Redis that is not part of a cluster/,
    });
    t.ok(tookMs < 10_000);
    const node = await startRedis(t, { args: ['--cluster-enabled', 'yes'] });
    const { cache } = settingsOf({ REDIS_URL: node.url });
    const single = connectRedis(cache, { profile: 'request', logger });
    t.teardown(() => single.disconnect());
    await t.rejects(checkRedisAtStart(single, cache, { production: true, logger }), {
      name: 'ConfigError',
      message: /^REDIS_URL .*cluster/,
    });
  },
);
