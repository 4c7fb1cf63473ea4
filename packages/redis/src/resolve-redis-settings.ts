import { ConfigError, type ConfigOf } from '@switchyard/config';
import { parseAddress, parseRedisUrl } from './parse-redis-url.ts';
import type { redisFields } from './redis-fields.ts';
import type { RedisRole, RedisSettings, RoleSettings } from './role-settings.ts';

type RedisConfig = ConfigOf<typeof redisFields>;

/** Settings as far as all roles share them. */
type SharedSettings = Omit<RoleSettings, 'role' | 'db' | 'databaseVariable' | 'keyPrefix'>;

interface RoleDatabase {
  /** What was set, if anything. */
  set: number | undefined;
  variable: string;
  fallback: number;
}

/**
 * Works out where each role's Redis is.
 *
 * A role's URL wins over everything shared, a database in it over `REDIS_<ROLE>_DB`. The shared place is
 * one of: REDIS_URL; REDIS_HOST and its companions; Sentinel; Cluster; else redis://localhost:6379.
 *
 * @throws ConfigError naming the variables where two settings contradict each other, where half of a pair
 *   is missing, or where two roles would share a database.
 */
export function resolveRedisSettings(config: RedisConfig): RedisSettings {
  const roleUrls = [config.redisCacheUrl, config.redisQueueUrl, config.redisWebhookUrl];
  refuseAmbiguous(config);
  const shared = roleUrls.every(Boolean) ? undefined : resolveShared(config);
  const cacheDb: RoleDatabase =
    config.redisCacheDb === undefined && config.redisDb !== undefined
      ? { set: config.redisDb, variable: 'REDIS_DB', fallback: 0 }
      : { set: config.redisCacheDb, variable: 'REDIS_CACHE_DB', fallback: 0 };
  const queueDb = { set: config.redisQueueDb, variable: 'REDIS_QUEUE_DB', fallback: 1 };
  const dedupDb = { set: config.redisWebhookDb, variable: 'REDIS_WEBHOOK_DB', fallback: 2 };
  const settings: RedisSettings = {
    cache: resolveRole('cache', 'REDIS_CACHE_URL', config.redisCacheUrl, cacheDb, shared, config),
    queue: resolveRole('queue', 'REDIS_QUEUE_URL', config.redisQueueUrl, queueDb, shared, config),
    dedup: resolveRole('dedup', 'REDIS_WEBHOOK_URL', config.redisWebhookUrl, dedupDb, shared, config),
    webhookTtlSeconds: config.redisTtlSeconds,
  };
  refuseSharedDatabase(settings.cache, settings.queue);
  refuseSharedDatabase(settings.cache, settings.dedup);
  refuseSharedDatabase(settings.queue, settings.dedup);
  return settings;
}

/** Places that exclude each other. Companions such as REDIS_PASSWORD belong to every place but a URL. */
function refuseAmbiguous(config: RedisConfig): void {
  const places = [
    ['REDIS_URL', config.redisUrl],
    ['REDIS_HOST', config.redisHost],
    ['REDIS_SENTINELS', config.redisSentinels],
    ['REDIS_CLUSTER_NODES', config.redisClusterNodes],
  ] as const;
  const [first, second] = places.filter(([, value]) => value !== undefined).map(([variable]) => variable);
  if (first && second) throw new ConfigError(first, `and ${second} are both set; set one`);
  const companions = [
    ['REDIS_PORT', config.redisPort, ['REDIS_URL', 'REDIS_SENTINELS', 'REDIS_CLUSTER_NODES']],
    ['REDIS_USERNAME', config.redisUsername, ['REDIS_URL']],
    ['REDIS_PASSWORD', config.redisPassword, ['REDIS_URL']],
  ] as const;
  for (const [variable, value, against] of companions) {
    if (value !== undefined && first && (against as readonly string[]).includes(first))
      throw new ConfigError(variable, `and ${first} are both set; set one`);
  }
  if (config.redisUsername !== undefined && config.redisPassword === undefined)
    throw new ConfigError('REDIS_PASSWORD', 'must be set with REDIS_USERNAME');
  if (config.redisSentinels && config.redisSentinelName === undefined)
    throw new ConfigError('REDIS_SENTINEL_NAME', 'must be set with REDIS_SENTINELS');
  for (const [variable, value] of [
    ['REDIS_SENTINEL_NAME', config.redisSentinelName],
    ['REDIS_SENTINEL_PASSWORD', config.redisSentinelPassword],
  ] as const) {
    if (value !== undefined && !config.redisSentinels)
      throw new ConfigError(variable, 'is set without REDIS_SENTINELS');
  }
}

function resolveShared(config: RedisConfig): SharedSettings {
  const common = {
    sentinelName: undefined,
    sentinelPassword: undefined,
    family: 0 as const,
    tls: config.redisTlsEnabled,
    username: config.redisUsername,
    password: config.redisPassword,
    passwordVariable: 'REDIS_PASSWORD',
    commandTimeoutMs: config.redisCommandTimeoutMs,
    connectTimeoutMs: config.redisConnectTimeoutMs,
  };
  if (config.redisSentinels) {
    return {
      ...common,
      mode: 'sentinel',
      variable: 'REDIS_SENTINELS',
      addresses: parseAddresses('REDIS_SENTINELS', config.redisSentinels, 26379),
      sentinelName: config.redisSentinelName,
      sentinelPassword: config.redisSentinelPassword,
    };
  }
  if (config.redisClusterNodes) {
    return {
      ...common,
      mode: 'cluster',
      variable: 'REDIS_CLUSTER_NODES',
      addresses: parseAddresses('REDIS_CLUSTER_NODES', config.redisClusterNodes, 6379),
    };
  }
  if (config.redisUrl !== undefined) {
    const url = parseRedisUrl('REDIS_URL', config.redisUrl);
    if (url.db)
      throw new ConfigError(
        'REDIS_URL',
        `names database ${url.db}, but each role has its own: set REDIS_CACHE_DB, REDIS_QUEUE_DB and REDIS_WEBHOOK_DB`,
      );
    return fromUrl('REDIS_URL', url, config);
  }
  const named = config.redisHost ?? config.redisPort ?? config.redisPassword;
  return {
    ...common,
    mode: 'standalone',
    variable: named === undefined ? 'REDIS_URL' : 'REDIS_HOST',
    addresses: [{ host: config.redisHost ?? 'localhost', port: config.redisPort ?? 6379 }],
  };
}

function resolveRole(
  role: RedisRole,
  urlVariable: string,
  url: string | undefined,
  database: RoleDatabase,
  shared: SharedSettings | undefined,
  config: RedisConfig,
): RoleSettings {
  if (url !== undefined) {
    const parsed = parseRedisUrl(urlVariable, url);
    return {
      ...fromUrl(urlVariable, parsed, config),
      role,
      keyPrefix: '',
      db: parsed.db ?? database.set ?? database.fallback,
      databaseVariable: parsed.db === undefined ? database.variable : urlVariable,
    };
  }
  if (!shared) throw new ConfigError(urlVariable, 'must be set');
  if (shared.mode === 'cluster') {
    if (database.set)
      throw new ConfigError(
        database.variable,
        `is ${database.set}, but REDIS_CLUSTER_NODES is set and a cluster has only database 0`,
      );
    return { ...shared, role, keyPrefix: `{sw-${role}}:`, db: 0, databaseVariable: database.variable };
  }
  return {
    ...shared,
    role,
    keyPrefix: '',
    db: database.set ?? database.fallback,
    databaseVariable: database.variable,
  };
}

function fromUrl(
  variable: string,
  url: ReturnType<typeof parseRedisUrl>,
  config: RedisConfig,
): SharedSettings {
  return {
    mode: 'standalone',
    variable,
    passwordVariable: variable,
    addresses: [{ host: url.host, port: url.port }],
    username: url.username,
    password: url.password,
    tls: url.tls || config.redisTlsEnabled,
    family: url.family,
    sentinelName: undefined,
    sentinelPassword: undefined,
    commandTimeoutMs: config.redisCommandTimeoutMs,
    connectTimeoutMs: config.redisConnectTimeoutMs,
  };
}

function parseAddresses(variable: string, entries: readonly string[], defaultPort: number) {
  const addresses = entries.map((entry) => parseAddress(variable, entry, defaultPort));
  if (addresses.length === 0) throw new ConfigError(variable, 'must be a list of host:port');
  return addresses;
}

/** One FLUSHDB of the cache must never take the queues along. */
function refuseSharedDatabase(first: RoleSettings, second: RoleSettings): void {
  if (first.mode === 'cluster' || second.mode === 'cluster' || first.mode !== second.mode) return;
  const place = (role: RoleSettings) => role.addresses.map(({ host, port }) => `${host}:${port}`).join();
  if (first.db !== second.db || place(first) !== place(second)) return;
  throw new ConfigError(
    second.databaseVariable,
    `gives the ${second.role} role database ${second.db}, which ${first.databaseVariable} gives the ${first.role} role`,
  );
}
