import { loadConfig } from '@switchyard/config';
import { silentLogger, type TestRedis } from '@switchyard/test-kit';
import {
  type ConnectOptions,
  connectRedis,
  type RedisClient,
  type RedisRole,
  type RedisSettings,
  redisFields,
  resolveRedisSettings,
} from '../src/index.ts';

/** Settings as a service would get them from this environment. */
export function settingsOf(env: Record<string, string>): RedisSettings {
  return resolveRedisSettings(loadConfig(redisFields, env));
}

/** A connection to a role of a test's Redis, closed with the test. */
export function connect(
  t: Tap,
  redis: TestRedis,
  role: RedisRole = 'cache',
  options: Partial<ConnectOptions> = {},
): RedisClient {
  const settings = settingsOf({ REDIS_URL: redis.url })[role];
  const client = connectRedis(settings, { profile: 'request', logger: silentLogger(), ...options });
  t.teardown(() => client.disconnect());
  return client;
}

/** The part of a tap test that these helpers use. */
export interface Tap {
  teardown(fn: () => unknown): void;
}

/** How long a piece of work takes, in ms, and what it resolved to or threw. */
export async function timed<T>(
  work: () => Promise<T>,
): Promise<{ tookMs: number; value?: T; error?: unknown }> {
  const from = performance.now();
  try {
    const value = await work();
    return { tookMs: performance.now() - from, value };
  } catch (error) {
    return { tookMs: performance.now() - from, error };
  }
}

/** Waits for a client's first connection. */
export async function ready(...clients: RedisClient[]): Promise<void> {
  for (const client of clients)
    if (client.status !== 'ready')
      await new Promise<void>((resolve) => client.once('ready', () => resolve()));
}
