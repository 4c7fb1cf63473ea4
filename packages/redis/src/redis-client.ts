import type { Cluster, Redis } from 'ioredis';
import type { RedisRole } from './role-settings.ts';

/** A connection of any mode. */
export type RedisClient = Redis | Cluster;

/** What a client is for, and what its keys start with. */
export interface ClientRole {
  role: RedisRole;
  keyPrefix: string;
}

const roles = new WeakMap<RedisClient, ClientRole>();

/** Remembers a client's role, so that the parts built on it need not be told. */
export function rememberRole(client: RedisClient, role: ClientRole): void {
  roles.set(client, role);
}

/** The role of a client; for one that `connectRedis` did not make, the given role and no prefix. */
export function roleOf(client: RedisClient, assumed: RedisRole): ClientRole {
  return roles.get(client) ?? { role: assumed, keyPrefix: '' };
}
