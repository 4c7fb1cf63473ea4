/**
 * What a lock and a rate-limit call cost beside a bare script call on the same connection: each must stay
 * within 2×. Sequential (the round trip) and 50 in flight (the processor).
 *
 * node --conditions=@switchyard/source bench/redis.ts
 */
import { loadConfig } from '@switchyard/config';
import {
  connectRedis,
  createBudget,
  createLocks,
  createRateLimiter,
  createSharedBreaker,
  redisFields,
  resolveRedisSettings,
} from '@switchyard/redis';
import { silentLogger, startRedis } from '@switchyard/test-kit';

const rounds = 7;
const limit = 2;
const cleanups: (() => unknown)[] = [];

type Call = (i: number) => Promise<unknown>;

/** Mean time per call in µs. */
async function measure(call: Call, calls: number, inFlight: number): Promise<number> {
  let next = 0;
  const from = performance.now();
  const lane = async () => {
    while (next < calls) await call(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return ((performance.now() - from) * 1000) / calls;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function run(): Promise<boolean> {
  const redis = await startRedis({ teardown: (fn) => void cleanups.push(fn) });
  const logger = silentLogger();
  const { cache } = resolveRedisSettings(loadConfig(redisFields, { REDIS_URL: redis.url }));
  const client = connectRedis(cache, { profile: 'request', logger });
  cleanups.push(() => client.disconnect());
  await new Promise<void>((resolve) => client.once('ready', () => resolve()));

  const bare = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
  const hash = (await client.script('LOAD', bare)) as string;
  const locks = createLocks({ client, logger });
  const limiter = createRateLimiter({
    client,
    logger,
    points: 1e9,
    durationSeconds: 600,
    keyPrefix: 'bench',
  });
  const breaker = createSharedBreaker({ client, logger, name: 'bench' });
  const budget = createBudget({
    client,
    logger,
    name: 'bench',
    assumed: { maximum: 1e9, restorePerSecond: 1e6 },
  });
  let turn = 0;
  const keyOf = (i: number) => `${turn}-${i}`;
  const calls: Record<string, { call: Call; isLimited: boolean }> = {
    'bare EVALSHA': { call: () => client.evalsha(hash, 1, 'bench', '1'), isLimited: false },
    acquireLock: { call: (i) => locks.acquireLock(keyOf(i), 60), isLimited: true },
    'acquireLock, taken': { call: (i) => locks.acquireLock(keyOf(i), 60), isLimited: true },
    extendLock: { call: (i) => locks.extendLock(keyOf(i), 60), isLimited: true },
    releaseLock: { call: (i) => locks.releaseLock(keyOf(i)), isLimited: true },
    'rate limit': { call: () => limiter.consume('key'), isLimited: true },
    'budget take': { call: () => budget.take('key', 1), isLimited: false },
    'closed breaker': { call: () => breaker.run('key', async () => 1), isLimited: false },
  };
  let isWithin = true;
  for (const inFlight of [1, 50]) {
    const count = inFlight === 1 ? 3000 : 10_000;
    const times = new Map(Object.keys(calls).map((name) => [name, [] as number[]]));
    for (let round = 0; round < rounds + 1; round++) {
      turn += 1;
      for (const [name, { call }] of Object.entries(calls)) {
        const time = await measure(call, count, inFlight);
        // The first round warms up.
        if (round > 0) times.get(name)?.push(time);
      }
    }
    const base = median(times.get('bare EVALSHA') ?? []);
    console.log(`${inFlight} in flight, median of ${rounds} rounds of ${count} calls`);
    for (const [name, { isLimited }] of Object.entries(calls)) {
      const time = median(times.get(name) ?? []);
      const ratio = time / base;
      if (isLimited && ratio > limit) isWithin = false;
      const verdict = isLimited ? (ratio <= limit ? `ok, limit ${limit}` : `TOO SLOW, limit ${limit}`) : '';
      console.log(`  ${name.padEnd(20)} ${time.toFixed(1).padStart(8)} µs  ×${ratio.toFixed(2)}  ${verdict}`);
    }
  }
  return isWithin;
}

try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}
