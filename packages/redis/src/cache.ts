import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { cacheScripts } from './cache-scripts.ts';
import { createInvalidations } from './invalidations.ts';
import { type RedisClient, roleOf } from './redis-client.ts';
import { createRedisGuard } from './redis-guard.ts';
import { roleFallbacks } from './role-settings.ts';
import { createThrottledWarning } from './throttled-warning.ts';
import { ttlMs } from './ttl-ms.ts';

/** How long cached data lives, in seconds, by what they are (R3.3). */
export const cacheTtlSeconds = {
  userPermissions: 300,
  contactDetails: 60,
  campaignStats: 30,
  analyticsDashboard: 300,
  segmentCounts: 300,
} as const;

/**
 * JSON values in Redis. While Redis is away, every operation answers `null` or `false` in bounded time
 * instead of throwing; only a TTL that is not positive, a value that is not JSON, or an error of `fetch` throws.
 */
export interface Cache {
  /** The value of a key, or null. */
  get<T>(key: string): Promise<T | null>;
  /** Stores a value for `ttlSeconds` and invalidates what any instance holds of the key. */
  set(key: string, value: unknown, ttlSeconds: number): Promise<boolean>;
  /** Removes a key here, in Redis and from every instance's memory. `true` when that was done. */
  del(key: string): Promise<boolean>;
  exists(key: string): Promise<boolean>;
  /** Adds one and returns the sum; the first addition starts the TTL (a day by default). Null while Redis is away. */
  incr(key: string, ttlSeconds?: number): Promise<number | null>;
  /**
   * The value of a key from memory, else from Redis, else from `fetch`, which then fills both.
   * Calls for one key at the same time share one `fetch`. A value fetched before an invalidation is not kept.
   * Every caller gets a copy of its own. Rejects with what `fetch` rejects with.
   */
  getCached<T>(key: string, fetch: () => Promise<T>, ttlSeconds: number): Promise<T>;
  /** Resolves when invalidations of other instances arrive. Until then memory is simply not used. */
  ready(): Promise<void>;
  /** Ends the subscription, if it is the cache's own. */
  close(): void;
}

/** Settings of {@link createCache}. */
export interface CacheOptions {
  client: RedisClient;
  /** A connection to the same Redis for invalidations; by default the cache opens (and closes) its own. */
  subscriber?: RedisClient;
  logger: Logger;
  /** Put before every key with a colon. Caches of one namespace share keys and invalidations. */
  namespace?: string;
  /** Longest time a value stays in memory, so the most that a lost invalidation can cost. 5 s by default. */
  memoryTtlSeconds?: number;
  /** How many values memory holds at most, 10 000 by default. */
  memoryEntries?: number;
  /** How long an operation waits for Redis, 1 s by default. */
  timeoutMs?: number;
}

/** Makes a cache in two levels, process memory over Redis. */
export function createCache(options: CacheOptions): Cache {
  const { client, logger, namespace = '', memoryTtlSeconds = 5, memoryEntries = 10_000 } = options;
  const { role, keyPrefix } = roleOf(client, 'cache');
  const prefix = keyPrefix + (namespace === '' ? '' : `${namespace}:`);
  const channel = `${keyPrefix}sw-cache:${namespace}`;
  const guard = createRedisGuard({
    client,
    logger,
    role,
    fallback: roleFallbacks.cache,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  const warnCorrupt = createThrottledWarning(logger);
  const memory = new LRUCache<string, string>({ max: memoryEntries });
  const flights = new Map<string, Promise<string | undefined>>();
  const forget = (key: string) => {
    memory.delete(key);
    flights.delete(key);
  };
  const invalidations = createInvalidations({
    client,
    subscriber: options.subscriber,
    channel,
    onKey: forget,
    onGap: () => {
      memory.clear();
      flights.clear();
    },
  });
  /** An entry's own key, and the key that counts its invalidations. */
  const keysOf = (key: string) => [`${prefix}${key}`, `${prefix}${key}:epoch`];

  /** Undefined, which JSON has not, when the text is none. */
  function parse<T>(key: string, text: string): T | undefined {
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      warnCorrupt({ key, reason: (error as Error).message }, 'a cached value is not JSON');
      return undefined;
    }
  }

  /** Memory counts while invalidations arrive, and while Redis is away: then there is nothing better. */
  const isMemoryTrusted = () => invalidations.isLive() || !guard.isOpen();

  function remember(key: string, text: string, forMs: number): void {
    memory.set(key, text, { ttl: Math.min(forMs, memoryTtlSeconds * 1000) });
  }

  async function load(key: string, fetch: () => Promise<unknown>, forMs: number, isCurrent: () => boolean) {
    const found = await guard.run(
      () => client.mget(...keysOf(key)) as Promise<(string | null)[] | undefined>,
      () => undefined,
    );
    const [cached, epoch] = found ?? [];
    if (typeof cached === 'string' && parse(key, cached) !== undefined) {
      if (isMemoryTrusted() && isCurrent()) remember(key, cached, forMs);
      return cached;
    }
    const text = JSON.stringify(await fetch()) as string | undefined;
    if (text === undefined) return undefined;
    const stored =
      found &&
      (await guard.run(
        async () => (await cacheScripts.fill(client, keysOf(key), [text, forMs, epoch ?? ''])) === 1,
        () => undefined,
      ));
    // `false` means that the key was invalidated while the value was fetched: it serves this call alone.
    if (stored !== false && isCurrent() && isMemoryTrusted()) remember(key, text, forMs);
    return text;
  }

  return {
    async get<T>(key: string) {
      const text = await guard.run<string | null>(
        () => client.get(`${prefix}${key}`),
        () => null,
      );
      return text === null ? null : (parse<T>(key, text) ?? null);
    },
    async set(key, value, ttlSeconds) {
      const forMs = ttlMs(ttlSeconds);
      const text = JSON.stringify(value) as string | undefined;
      if (text === undefined) throw new TypeError('a cached value must be JSON');
      forget(key);
      return guard.run(
        async () => (await cacheScripts.set(client, keysOf(key), [text, forMs, channel, key])) === 1,
        () => false,
      );
    },
    async del(key) {
      forget(key);
      return guard.run(
        async () => (await cacheScripts.del(client, keysOf(key), [channel, key])) === 1,
        () => false,
      );
    },
    exists: (key) =>
      guard.run(
        async () => (await client.exists(`${prefix}${key}`)) === 1,
        () => false,
      ),
    async incr(key, ttlSeconds = 86_400) {
      const forMs = ttlMs(ttlSeconds);
      return guard.run<number | null>(
        async () => Number(await cacheScripts.incr(client, [`${prefix}${key}`], [forMs])),
        () => null,
      );
    },
    async getCached<T>(key: string, fetch: () => Promise<T>, ttlSeconds: number) {
      const forMs = ttlMs(ttlSeconds);
      const remembered = isMemoryTrusted() ? memory.get(key) : undefined;
      if (remembered !== undefined) return JSON.parse(remembered) as T;
      let flight = flights.get(key);
      if (!flight) {
        const started: Promise<string | undefined> = load(
          key,
          fetch,
          forMs,
          () => flights.get(key) === started,
        ).finally(() => {
          if (flights.get(key) === started) flights.delete(key);
        });
        flight = started;
        flights.set(key, started);
      }
      const text = await flight;
      return (text === undefined ? undefined : JSON.parse(text)) as T;
    },
    ready: () => invalidations.ready(),
    close: () => invalidations.close(),
  };
}
