import { isIP } from 'node:net';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import { endWhenDisconnected } from './end-when-disconnected.ts';
import { type RedisClient, rememberRole } from './redis-client.ts';
import { type RoleSettings, roleFallbacks } from './role-settings.ts';
import { createUnavailableWarning } from './unavailable-warning.ts';

/**
 * A socket that owes an answer for this long is taken for dead. Longer than BullMQ's longest blocking read
 * (10 s), and what lets a worker leave a peer that vanished without closing its connections.
 */
const silentSocketMs = 30_000;

/** How {@link connectRedis} sets a connection up. */
export interface ConnectOptions {
  /**
   * `request`: a command fails at once while there is no connection, and after `commandTimeoutMs` when the
   * server hangs. `worker`: commands wait until Redis is back, however long that takes (BullMQ needs this).
   */
  profile: 'request' | 'worker';
  logger: Logger;
  /** Overrides REDIS_COMMAND_TIMEOUT_MS for `request`; without effect for `worker`. */
  commandTimeoutMs?: number;
}

/**
 * Connects to a role's Redis and keeps reconnecting for as long as the process lives, pausing
 * min(n × 50 ms, 3 s). Returns at once; `checkRedisAtStart` waits for the connection and gives up in time.
 *
 * Logs `✅ Redis: Connected and ready` on every (re)connection, and `⚠️  Redis unavailable` with role and
 * fallback, rate-limited, while there is none. Close it with `client.quit()` or `client.disconnect()`.
 */
export function connectRedis(role: RoleSettings, options: ConnectOptions): RedisClient {
  const client = open(role, options);
  if (client instanceof Redis) endWhenDisconnected(client);
  rememberRole(client, { role: role.role, keyPrefix: role.keyPrefix });
  watch(client, role, options.logger);
  return client;
}

/** R3.2: min(n × 50 ms, 3 s), without end. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(attempt * 50, 3000);
}

function open(role: RoleSettings, { profile, commandTimeoutMs }: ConnectOptions): RedisClient {
  const isRequest = profile === 'request';
  const common = {
    connectTimeout: role.connectTimeoutMs,
    socketTimeout: silentSocketMs,
    maxRetriesPerRequest: isRequest ? 1 : null,
    connectionName: `switchyard-${role.role}-${profile}`,
    // After a fail-over a connection may still be open to the old master, now a read-only replica.
    reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? (2 as const) : false),
    ...(isRequest ? { commandTimeout: commandTimeoutMs ?? role.commandTimeoutMs } : {}),
    ...(role.username === undefined ? {} : { username: role.username }),
    ...(role.password === undefined ? {} : { password: role.password }),
  } satisfies RedisOptions;
  const [first] = role.addresses;
  if (role.mode === 'cluster') {
    return new Cluster([...role.addresses], {
      enableOfflineQueue: !isRequest,
      clusterRetryStrategy: reconnectDelayMs,
      slotsRefreshTimeout: role.connectTimeoutMs,
      // A node that dies is left within seconds, not with the next full refresh.
      slotsRefreshInterval: 5000,
      redisOptions: { ...common, ...(role.tls ? { tls: {} } : {}) },
    });
  }
  const single = {
    ...common,
    db: role.db,
    enableOfflineQueue: !isRequest,
    retryStrategy: reconnectDelayMs,
  } satisfies RedisOptions;
  if (role.mode === 'sentinel') {
    return new Redis({
      ...single,
      sentinels: [...role.addresses],
      name: role.sentinelName ?? '',
      // No `failoverDetector`: a fail-over that it hears of while the client is connecting ends the client for good
      // (ioredis 6.0.0, FailoverDetector.disconnect → status "end"). A dead master closes its connections, a demoted one is told
      // by Sentinel to (CLIENT KILL) or answers READONLY, and one that vanished falls to `socketTimeout`.
      sentinelRetryStrategy: reconnectDelayMs,
      sentinelCommandTimeout: role.connectTimeoutMs,
      ...(role.sentinelPassword === undefined ? {} : { sentinelPassword: role.sentinelPassword }),
      ...(role.tls ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    });
  }
  return new Redis({
    ...single,
    host: first?.host ?? 'localhost',
    port: first?.port ?? 6379,
    family: role.family,
    // An address is not a server name, and Node warns of one.
    ...(role.tls ? { tls: first === undefined || isIP(first.host) ? {} : { servername: first.host } } : {}),
  });
}

function watch(client: RedisClient, role: RoleSettings, logger: Logger): void {
  const warn = createUnavailableWarning(logger, role.role, roleFallbacks[role.role]);
  let reason: unknown = new Error('connection closed');
  client.on('ready', () => logger.info({ role: role.role }, '✅ Redis: Connected and ready'));
  client.on('error', (error: unknown) => {
    reason = error;
    warn(error);
  });
  // Not on 'close': that comes with a deliberate quit() too.
  client.on('reconnecting', () => warn(reason));
}
