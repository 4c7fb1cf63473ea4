import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { checkRedisHealth } from './check-redis-health.ts';
import { type RedisClient, roleOf } from './redis-client.ts';
import { createRedisGuard } from './redis-guard.ts';
import { prepareScript } from './run-script.ts';
import { ttlMs } from './ttl-ms.ts';

/**
 * Locks over all instances, one round trip each. They **fail open**: while Redis is away they hold within
 * this process only, with a warning. So a lock spares double work; it must never be all that guards a write.
 */
export interface Locks {
  /**
   * Takes a lock for at most `ttlSeconds`, without waiting.
   * @returns false when someone (this process included) holds it.
   */
  acquireLock(key: string, ttlSeconds: number): Promise<boolean>;
  /** Gives back a lock of this process. @returns false when it held none, or no longer. */
  releaseLock(key: string): Promise<boolean>;
  /** Holds on to a lock of this process for `ttlSeconds` from now. @returns false when it has been lost. */
  extendLock(key: string, ttlSeconds: number): Promise<boolean>;
  /** Whether Redis answers at this moment; false at most a second later when it does not. */
  isRedisAvailable(): Promise<boolean>;
}

/** Settings of {@link createLocks}. */
export interface LocksOptions {
  client: RedisClient;
  logger: Logger;
  /** How long a call waits for Redis, 1 s by default. */
  timeoutMs?: number;
}

interface HeldLock {
  token: string;
  expiresAtMs: number;
  /** Taken without Redis, so Redis does not know of it. */
  isLocal: boolean;
}

const release = prepareScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`);

/** ARGV: token, TTL in ms, '1' when the lock was taken while Redis was away. */
const extend = prepareScript(`
local owner = redis.call('GET', KEYS[1])
if owner == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if owner or ARGV[3] ~= '1' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

/** Makes the locks of one process. */
export function createLocks({ client, logger, timeoutMs = 1000 }: LocksOptions): Locks {
  const { role, keyPrefix } = roleOf(client, 'cache');
  const fallback = 'locks within this process only';
  const guard = createRedisGuard({ client, logger, role, fallback, timeoutMs });
  // Bounded: a lock that is never released is forgotten with its TTL.
  const held = new LRUCache<string, HeldLock>({ max: 100_000 });
  const redisKey = (key: string) => `${keyPrefix}lock:${key}`;

  function hold(key: string, token: string, forMs: number, isLocal: boolean): true {
    held.set(key, { token, expiresAtMs: performance.now() + forMs, isLocal }, { ttl: forMs });
    return true;
  }
  function mine(key: string): HeldLock | undefined {
    const lock = held.get(key);
    return lock && lock.expiresAtMs > performance.now() ? lock : undefined;
  }

  return {
    async acquireLock(key, ttlSeconds) {
      const forMs = ttlMs(ttlSeconds);
      const token = randomUUID();
      return guard.run(
        async () => {
          const answer = await client.set(redisKey(key), token, 'PX', forMs, 'NX');
          return answer === 'OK' && hold(key, token, forMs, false);
        },
        // The token is kept: a server that hung may have taken the lock all the same.
        () => mine(key) === undefined && hold(key, token, forMs, true),
      );
    },
    async releaseLock(key) {
      const lock = mine(key);
      held.delete(key);
      if (!lock) return false;
      return guard.run(
        async () => (await release(client, [redisKey(key)], [lock.token])) === 1 || lock.isLocal,
        () => true,
      );
    },
    async extendLock(key, ttlSeconds) {
      const forMs = ttlMs(ttlSeconds);
      const lock = mine(key);
      if (!lock) return false;
      const args = [lock.token, forMs, lock.isLocal ? '1' : '0'];
      return guard.run(
        async () => {
          const kept = (await extend(client, [redisKey(key)], args)) === 1;
          if (kept) return hold(key, lock.token, forMs, false);
          held.delete(key);
          return false;
        },
        () => hold(key, lock.token, forMs, lock.isLocal),
      );
    },
    isRedisAvailable: () => checkRedisHealth(client, timeoutMs),
  };
}
