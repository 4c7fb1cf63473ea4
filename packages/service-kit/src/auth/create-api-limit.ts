import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Cluster, Redis } from 'ioredis';
import { rateLimited } from '../errors.ts';

/** One limit, counted in Redis while it answers. */
export interface ApiLimitSettings {
  /** Prefix of its keys: the service and what is counted. */
  name: string;
  perMinute: number;
  /** Whose calls are counted together. */
  keyOf: (request: FastifyRequest) => string;
  /** The cache role. Without it each process counts for itself. */
  client?: Redis | Cluster | undefined;
}

/** Counts a call, sets the rate headers, and throws RATE_LIMITED when it is one too many. */
export type ApiLimit = (
  request: FastifyRequest,
  setHeader: (name: string, value: number) => void,
) => Promise<void>;

/** After Redis failed, how long each process counts for itself before it asks again. */
const pauseMs = 5_000;

/** The key of an address: IPv6 by network, since one caller has a whole one. */
export function addressKey(request: FastifyRequest): string {
  return normalizeIP(request.ip);
}

/**
 * Creates a limit on API calls, shared by all instances through the cache role.
 *
 * Fails open: while Redis is away it warns and counts in process, so that a hung Redis costs one call's time-out
 * every five seconds, not one per call.
 */
export async function createApiLimit(app: FastifyInstance, settings: ApiLimitSettings): Promise<ApiLimit> {
  const { name, perMinute, keyOf, client } = settings;
  if (perMinute === 0) return async () => undefined;
  const options = { global: false, max: perMinute, timeWindow: 60_000, keyGenerator: keyOf };
  const local = await createCounter(app, options);
  const shared =
    client && (await createCounter(app, { ...options, redis: client, nameSpace: `rate:${name}:` }));
  let pausedUntilMs = 0;

  async function count(request: FastifyRequest) {
    if (!shared || Date.now() < pausedUntilMs) return local(request);
    try {
      return await shared(request);
    } catch (error) {
      if (Date.now() >= pausedUntilMs) {
        request.log.warn(
          { err: error, limit: name },
          '⚠️  Redis unavailable (cache): rate limits are counted per process',
        );
      }
      pausedUntilMs = Date.now() + pauseMs;
      return local(request);
    }
  }

  return async (request, setHeader) => {
    const counted = await count(request);
    if (counted.isAllowed) return;
    setHeader('x-ratelimit-limit', counted.max);
    setHeader('x-ratelimit-remaining', counted.remaining);
    setHeader('x-ratelimit-reset', counted.ttlInSeconds);
    if (counted.isExceeded) {
      throw rateLimited('too many calls; see Retry-After', {
        delayMs: Math.max(counted.ttl, 1_000),
        details: { perMinute },
      });
    }
  };
}

type Counter = ReturnType<FastifyInstance['createRateLimit']>;

/** Each counter is a registration of its own in a scope of its own: the plugin's key prefix is per registration. */
async function createCounter(
  app: FastifyInstance,
  options: Parameters<typeof rateLimit>[1],
): Promise<Counter> {
  let counter: Counter | undefined;
  await app.register(async (scope) => {
    await scope.register(rateLimit, options);
    counter = scope.createRateLimit();
  });
  if (!counter) throw new Error('the rate limit was not registered');
  return counter;
}
