import {
  checkRedisAtStart,
  connectRedis,
  type RedisClient,
  type RedisRole,
  type RedisSettings,
} from '@switchyard/redis';
import type { Closer, Metrics } from '@switchyard/service-kit';
import type { Logger } from 'pino';

/** The roles' clients, in the profile that fails fast. */
export type RoleClients = Record<RedisRole, RedisClient>;

const roles: readonly RedisRole[] = ['queue', 'dedup', 'cache'];

/**
 * Connects to the three roles and checks them, side by side, so that all of it fits into the few seconds a start may take to
 * fail. Without the queue role a service refuses to start (R1.5); without the others it starts with a warning.
 *
 * @throws ConfigError one line that names the variable.
 */
export async function connectRoles(
  settings: RedisSettings,
  options: { production: boolean; logger: Logger; metrics: Metrics; closer: Closer },
): Promise<RoleClients> {
  const { production, logger, metrics, closer } = options;
  const clients = {} as RoleClients;
  for (const role of roles) {
    const client = connectRedis(settings[role], { profile: 'request', logger });
    closer.add(`redis ${role}`, () => client.disconnect());
    metrics.instrumentRedis(client, role);
    clients[role] = client;
  }
  const checks = await Promise.allSettled(
    roles.map((role) =>
      checkRedisAtStart(clients[role], settings[role], { production, logger, required: role === 'queue' }),
    ),
  );
  // In the order of the roles: what the queue role has to say comes first.
  for (const check of checks) if (check.status === 'rejected') throw check.reason;
  return clients;
}
