/** What a Redis connection is for. Each role has settings, a database and an eviction policy of its own. */
export type RedisRole = 'cache' | 'queue' | 'dedup';

/** A host and its port. */
export interface RedisAddress {
  host: string;
  port: number;
}

/** Where one role's Redis is, resolved from the environment by `resolveRedisSettings`. */
export interface RoleSettings {
  readonly role: RedisRole;
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  /** The variable to blame when the server can't be reached or is the wrong one. */
  readonly variable: string;
  /** The variable to blame for a refused login. */
  readonly passwordVariable: string;
  /** The variable to blame for a database that does not exist. */
  readonly databaseVariable: string;
  /** `''`, or on a cluster a prefix with a hash tag such as `{sw-queue}:`. Callers put it before every key. */
  readonly keyPrefix: string;
  /** One address in standalone mode, otherwise the sentinels or the cluster's first nodes. */
  readonly addresses: readonly RedisAddress[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Always 0 on a cluster. */
  readonly db: number;
  readonly tls: boolean;
  /** IP version to resolve the host to: 0 means either. */
  readonly family: 0 | 4 | 6;
  readonly sentinelName: string | undefined;
  readonly sentinelPassword: string | undefined;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

/** Settings of all roles. */
export interface RedisSettings {
  readonly cache: RoleSettings;
  readonly queue: RoleSettings;
  readonly dedup: RoleSettings;
  /** How long a webhook is remembered, in seconds. */
  readonly webhookTtlSeconds: number;
}

/** BullMQ's `prefix` for a role: `bull`, or `{bull}` on a cluster, where a queue's keys must share a slot. */
export function bullPrefix(role: RoleSettings): string {
  return role.mode === 'cluster' ? '{bull}' : 'bull';
}

/** What becomes of a role's work while its Redis is away; named in every warning. */
export const roleFallbacks: Readonly<Record<RedisRole, string>> = {
  cache: 'in-process memory, without coordination between instances',
  queue: 'none, work waits until it is back',
  dedup: 'de-duplication by the queue and by unique keys in SQL',
};
