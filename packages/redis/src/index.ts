export { type Budget, type BudgetOptions, budgetSpent, budgetTooSmall, createBudget } from './budget.ts';
export type { BudgetReport } from './budget-state.ts';
export { type Cache, type CacheOptions, cacheTtlSeconds, createCache } from './cache.ts';
export { checkRedisAtStart, type StartCheckOptions } from './check-redis-at-start.ts';
export { checkRedisHealth } from './check-redis-health.ts';
export { type ConnectOptions, connectRedis } from './connect-redis.ts';
export { createLocks, type Locks, type LocksOptions } from './locks.ts';
export {
  createRateLimiter,
  type RateLimitAnswer,
  type RateLimiter,
  type RateLimiterOptions,
} from './rate-limiter.ts';
export type { RedisClient } from './redis-client.ts';
export { redisFields } from './redis-fields.ts';
export { resolveRedisSettings } from './resolve-redis-settings.ts';
export {
  bullPrefix,
  type RedisAddress,
  type RedisRole,
  type RedisSettings,
  type RoleSettings,
} from './role-settings.ts';
export { prepareScript, type Script } from './run-script.ts';
export {
  circuitOpen,
  createSharedBreaker,
  type SharedBreaker,
  type SharedBreakerOptions,
} from './shared-breaker.ts';
