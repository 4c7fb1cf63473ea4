import { silentLogger, startRedis, until } from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { createBudget, createLocks, createRateLimiter, createSharedBreaker } from '../src/index.ts';
import { connect, ready } from './helper.ts';

const logger = silentLogger();

async function twoClients(t: Test, role: 'cache' | 'queue') {
  const redis = await startRedis(t, { aof: true });
  const [a, b] = [connect(t, redis, role), connect(t, redis, role)];
  await ready(a, b);
  return { redis, a, b };
}

t.test('a lock has one holder over all instances, who alone can extend or release it', async (t) => {
  const { a, b } = await twoClients(t, 'cache');
  const [locksA, locksB] = [createLocks({ client: a, logger }), createLocks({ client: b, logger })];
  const tries = await Promise.all(
    Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? locksA : locksB).acquireLock('key', 30)),
  );
  t.equal(tries.filter(Boolean).length, 1);
  const [holder, other] = tries.indexOf(true) % 2 === 0 ? [locksA, locksB] : [locksB, locksA];
  t.equal(await other.releaseLock('key'), false);
  t.equal(await other.extendLock('key', 30), false);
  t.equal(await other.acquireLock('key', 30), false);
  t.equal(await holder.extendLock('key', 60), true);
  const left = await a.pttl('lock:key');
  t.ok(left > 59_000 && left <= 60_000);
  t.equal(await holder.releaseLock('key'), true);
  t.equal(await holder.releaseLock('key'), false);
  t.equal(await other.acquireLock('key', 30), true);
  t.equal(await holder.isRedisAvailable(), true);
});

t.test('a lock ends with its TTL, and who lost it does not take the next holder’s', async (t) => {
  const { a, b } = await twoClients(t, 'cache');
  const [locksA, locksB] = [createLocks({ client: a, logger }), createLocks({ client: b, logger })];
  t.equal(await locksA.acquireLock('key', 0.1), true);
  await until(() => locksB.acquireLock('key', 30), { what: 'the lock expires' });
  t.equal(await locksA.releaseLock('key'), false);
  t.equal(await locksA.extendLock('key', 30), false);
  t.equal(await a.exists('lock:key'), 1, 'the new holder still has it');
  t.equal(await locksA.acquireLock('lost', 30), true);
  await b.del('lock:lost');
  t.equal(await locksA.extendLock('lost', 30), false, 'a lock that Redis lost is lost');
  await t.rejects(locksA.acquireLock('key', 0), RangeError);
});

t.test('a lock taken while Redis was away is in Redis once it is extended', async (t) => {
  const { redis, a, b } = await twoClients(t, 'cache');
  const [locksA, locksB] = [createLocks({ client: a, logger }), createLocks({ client: b, logger })];
  const closed = Promise.all([a, b].map((client) => new Promise((resolve) => client.once('close', resolve))));
  await redis.kill();
  await closed;
  t.equal(await locksA.acquireLock('key', 30), true);
  await redis.start();
  await ready(a, b);
  t.equal(await locksA.extendLock('key', 30), true);
  t.equal(await locksB.acquireLock('key', 30), false);
  t.equal(await locksA.releaseLock('key'), true);
});

t.test('a rate limit holds over instances and over a restart of Redis', async (t) => {
  const { redis, a, b } = await twoClients(t, 'cache');
  const options = { logger, points: 10, durationSeconds: 60, keyPrefix: 'api' };
  const limiters = [
    createRateLimiter({ client: a, ...options }),
    createRateLimiter({ client: b, ...options }),
  ];
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => limiters[i % 2]!.consume('key')));
  t.equal(answers.filter(({ allowed }) => allowed).length, 10);
  const refused = answers.find(({ allowed }) => !allowed);
  t.ok(refused && refused.retryAfterMs > 0 && refused.retryAfterMs <= 60_000);
  t.equal(refused?.remaining, 0);
  t.match(await limiters[0]!.consume('other', 4), { allowed: true, remaining: 6, retryAfterMs: 0 });
  await redis.stop();
  await redis.start();
  await until(async () => (await limiters[0]!.consume('other', 0)).remaining === 6 && a.status === 'ready');
  const fresh = createRateLimiter({ client: a, ...options });
  t.equal((await fresh.consume('key')).allowed, false);
  const others = createRateLimiter({ client: a, ...options, keyPrefix: 'else' });
  t.equal((await others.consume('key')).allowed, true, 'limiters are told apart');
  t.throws(() => createRateLimiter({ client: a, ...options, durationSeconds: 0.5 }), RangeError);
});

t.test(
  'a breaker opened by one instance holds for all, lets one probe through, and closes for all',
  async (t) => {
    const { a, b } = await twoClients(t, 'queue');
    const options = { logger, name: 'endpoint', minimumFailures: 3, openMs: 1000, refreshMs: 20 };
    const [one, two] = [
      createSharedBreaker({ client: a, ...options }),
      createSharedBreaker({ client: b, ...options }),
    ];
    let calls = 0;
    let isDown = false;
    const call = async () => {
      calls += 1;
      if (isDown) throw new Error('down');
      return 'up';
    };
    t.equal(await two.run('x', call), 'up');
    isDown = true;
    for (let i = 0; i < 3; i++) await t.rejects(one.run('x', call), { message: 'down' });
    t.equal(await two.read('x'), 'open');
    await until(() => two.run('x', call).catch((error) => error.code === 'CIRCUIT_OPEN'));
    calls = 0;
    await t.rejects(one.run('x', call), { code: 'CIRCUIT_OPEN', outcome: 'later' });
    const refusal = await two.run('x', call).catch((error) => error);
    t.ok(refusal.delayMs > 0 && refusal.delayMs <= 1000);
    t.equal(calls, 0, 'open means not called');
    t.equal(await one.run('y', async () => 'fine'), 'fine', 'other keys are their own');

    isDown = false;
    await until(async () => (await one.read('x')) === 'half-open');
    const gate = Promise.withResolvers<void>();
    let probes = 0;
    const probe = async () => {
      probes += 1;
      await gate.promise;
      return 'up';
    };
    const attempts = Array.from({ length: 20 }, (_, i) => (i % 2 ? one : two).run('x', probe));
    const settled = Promise.allSettled(attempts);
    await until(() => probes === 1);
    gate.resolve();
    t.equal(
      (await settled).filter(({ status }) => status === 'fulfilled').length,
      1,
      'one probe over all instances',
    );
    t.equal(probes, 1);
    await until(() => one.run('x', call).catch(() => false));
    await until(() => two.run('x', call).catch(() => false));
    t.equal(await one.read('x'), 'closed');
  },
);

t.test('a failed probe opens the breaker for longer', async (t) => {
  const { a } = await twoClients(t, 'queue');
  const breaker = createSharedBreaker({
    client: a,
    logger,
    name: 'n',
    minimumFailures: 1,
    openMs: 1000,
    refreshMs: 10,
  });
  const down = () => Promise.reject(new Error('down'));
  await t.rejects(breaker.run('x', down), { message: 'down' });
  await until(() => breaker.run('x', down).catch((error) => error.message === 'down'), { what: 'the probe' });
  const { delayMs } = await breaker.run('x', down).catch((error) => error);
  t.ok(delayMs > 1000 && delayMs <= 2000, `${delayMs} ms`);
});

t.test(
  'a closed breaker costs no round trip per call, and few failures among many calls leave it closed',
  async (t) => {
    const { a } = await twoClients(t, 'queue');
    const breaker = createSharedBreaker({ client: a, logger, name: 'n', minimumFailures: 3, refreshMs: 20 });
    const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await a.info('stats'))?.[1]);
    await breaker.run('x', async () => 1);
    const before = await commands();
    const from = performance.now();
    for (let i = 0; i < 10_000; i++) await breaker.run('x', async () => 1);
    const allowed = 10 + ((performance.now() - from) / 20 + 1) * 5;
    const used = (await commands()) - before;
    t.ok(used <= allowed, `${used} commands for 10 000 calls`);
    const failing = () => Promise.reject(new Error('once'));
    for (let i = 0; i < 10; i++) await t.rejects(breaker.run('x', failing), { message: 'once' });
    t.equal(await breaker.read('x'), 'closed');
    const client = createSharedBreaker({
      client: a,
      logger,
      name: 'm',
      minimumFailures: 1,
      isFailure: (error) => (error as Error).message !== 'bad request',
    });
    for (let i = 0; i < 5; i++)
      await t.rejects(
        client.run('x', () => Promise.reject(new Error('bad request'))),
        { message: 'bad request' },
      );
    t.equal(await client.read('x'), 'closed', 'an answer that is no failure does not count');
  },
);

t.test('a budget is booked by all instances together and follows what the provider says', async (t) => {
  const { a, b } = await twoClients(t, 'queue');
  const options = { logger, name: 'shopify', assumed: { maximum: 1000, restorePerSecond: 100 } };
  const [one, two] = [createBudget({ client: a, ...options }), createBudget({ client: b, ...options })];
  t.same([await one.take('shop', 600), await two.take('shop', 400)], [0, 0]);
  const first = await one.take('shop', 100);
  const second = await two.take('shop', 100);
  t.ok(first > 900 && first <= 1000, `waits for its points: ${first} ms`);
  t.ok(second > 1900 && second <= 2000, `and the next behind it: ${second} ms`);
  const tooLong = await one.take('shop', 1000);
  t.ok(tooLong > 10_000, 'a long wait is told');
  t.ok((await one.take('shop', 1)) < 2100, 'and not booked');
  await t.rejects(one.wait('shop', 1000), { code: 'BUDGET_SPENT', outcome: 'later', delayMs: Number });
  await t.rejects(one.take('shop', 1001), { code: 'BUDGET_TOO_SMALL', outcome: 'never' });

  await one.take('other', 900);
  await one.update('other', { available: 990, maximum: 1000, restorePerSecond: 100 }, 900);
  t.equal(await two.take('other', 980), 0, 'what a call did not use is given back');
  await two.update('other', { available: 5, maximum: 2000, restorePerSecond: 1000 });
  const wait = await one.take('other', 1005);
  t.ok(wait > 900 && wait <= 1000, `someone else has spent it; new rate: ${wait} ms`);
});

t.test('waiting for a budget takes as long as the budget needs, and can be given up', async (t) => {
  const { a } = await twoClients(t, 'queue');
  const budget = createBudget({
    client: a,
    logger,
    name: 'n',
    assumed: { maximum: 10, restorePerSecond: 100 },
  });
  const from = performance.now();
  for (let i = 0; i < 4; i++) await budget.wait('key', 10);
  t.ok(performance.now() - from >= 290);
  const controller = new AbortController();
  const waiting = budget.wait('key', 10, controller.signal);
  controller.abort();
  await t.rejects(waiting, { name: 'AbortError' });
});
