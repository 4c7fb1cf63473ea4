import type { Logger } from 'pino';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { type RedisClient, roleOf } from './redis-client.ts';
import { createRedisGuard } from './redis-guard.ts';

/** What a rate limit says to one call. */
export interface RateLimitAnswer {
  allowed: boolean;
  /** Points left in the window. */
  remaining: number;
  /** When refused: how long until the window ends, in ms; else 0. */
  retryAfterMs: number;
}

/** Counts calls per key over all instances, across restarts. */
export interface RateLimiter {
  /** Takes points (1 by default). While Redis is away this process counts alone, with a warning. */
  consume(key: string, points?: number): Promise<RateLimitAnswer>;
}

/** Settings of {@link createRateLimiter}. */
export interface RateLimiterOptions {
  client: RedisClient;
  logger: Logger;
  /** Points per window. */
  points: number;
  /** Length of a window, whole seconds. */
  durationSeconds: number;
  /** Tells limiters apart; part of the Redis key. */
  keyPrefix: string;
  /** How long a call waits for Redis, 1 s by default. */
  timeoutMs?: number;
}

/**
 * Makes a rate limiter with fixed windows. One round trip per call.
 *
 * The insurance stands outside rate-limiter-flexible, so that an outage is logged and a hung Redis does not
 * cost every call a time-out.
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const { client, logger, points, durationSeconds, timeoutMs = 1000 } = options;
  if (!Number.isInteger(durationSeconds) || durationSeconds < 1)
    throw new RangeError('durationSeconds must be a whole number of at least 1');
  const { role, keyPrefix } = roleOf(client, 'cache');
  const limits = { points, duration: durationSeconds, keyPrefix: `${keyPrefix}rate:${options.keyPrefix}` };
  const shared = new RateLimiterRedis({ ...limits, storeClient: client });
  const alone = new RateLimiterMemory(limits);
  const fallback = 'rate limits within this process only';
  const guard = createRedisGuard({ client, logger, role, fallback, timeoutMs });

  return {
    async consume(key, cost = 1) {
      const answer = await guard.run<RateLimitAnswer | undefined>(
        () => answerOf(shared.consume(key, cost)),
        () => undefined,
      );
      return answer ?? answerOf(alone.consume(key, cost));
    },
  };
}

/** The library rejects with its answer when a call is refused, and with an Error when the store fails. */
async function answerOf(consumed: Promise<RateLimiterRes>): Promise<RateLimitAnswer> {
  try {
    const { remainingPoints } = await consumed;
    return { allowed: true, remaining: remainingPoints, retryAfterMs: 0 };
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    return { allowed: false, remaining: refusal.remainingPoints, retryAfterMs: refusal.msBeforeNext };
  }
}
