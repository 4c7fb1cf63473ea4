export { checkRedisAtStart, type StartCheckOptions } from './check-redis-at-start.ts';
export { checkRedisHealth } from './check-redis-health.ts';
export { type ConnectOptions, connectRedis } from './connect-redis.ts';
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
