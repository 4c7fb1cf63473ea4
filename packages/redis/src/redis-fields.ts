import { type ConfigFields, field } from '@switchyard/config';

const protocols = ['redis:', 'rediss:'] as const;

/**
 * Every variable that says where Redis is. Spread it into a service's fields, then hand the loaded
 * configuration to {@link resolveRedisSettings}, which checks what the variables mean together.
 *
 * Most have no default here on purpose: only what was really set can contradict something else.
 */
export const redisFields = {
  redisUrl: field.url('REDIS_URL', {
    description:
      'One Redis for all roles, without a database: redis://[[username]:password@]host:port, or rediss:// for TLS. Default: redis://localhost:6379.',
    optional: true,
    secret: true,
    protocols,
  }),
  redisHost: field.string('REDIS_HOST', {
    description: 'Host of the Redis for all roles, instead of REDIS_URL.',
    optional: true,
  }),
  redisPort: field.integer('REDIS_PORT', {
    description: 'Port that belongs to REDIS_HOST. Default: 6379.',
    optional: true,
    minimum: 1,
    maximum: 65535,
  }),
  redisUsername: field.string('REDIS_USERNAME', {
    description: 'ACL user for REDIS_HOST, REDIS_SENTINELS or REDIS_CLUSTER_NODES.',
    optional: true,
  }),
  redisPassword: field.string('REDIS_PASSWORD', {
    description: 'Password for REDIS_HOST, REDIS_SENTINELS or REDIS_CLUSTER_NODES.',
    optional: true,
    secret: true,
  }),
  redisTlsEnabled: field.boolean('REDIS_TLS_ENABLED', {
    description: 'Encrypt every connection to Redis. A rediss:// URL turns it on by itself.',
    default: false,
  }),
  redisDb: field.integer('REDIS_DB', {
    description: 'Database of the cache role where REDIS_CACHE_DB is not set. Default: 0.',
    optional: true,
    minimum: 0,
  }),
  redisCacheUrl: field.url('REDIS_CACHE_URL', {
    description: 'Redis of the cache role alone; a database in it wins over REDIS_CACHE_DB.',
    optional: true,
    secret: true,
    protocols,
  }),
  redisQueueUrl: field.url('REDIS_QUEUE_URL', {
    description: 'Redis of the queue role alone; a database in it wins over REDIS_QUEUE_DB.',
    optional: true,
    secret: true,
    protocols,
  }),
  redisWebhookUrl: field.url('REDIS_WEBHOOK_URL', {
    description: 'Redis of webhook de-duplication alone; a database in it wins over REDIS_WEBHOOK_DB.',
    optional: true,
    secret: true,
    protocols,
  }),
  redisCacheDb: field.integer('REDIS_CACHE_DB', {
    description: 'Database of the cache role: cache, sessions, locks, rate limits. Default: 0.',
    optional: true,
    minimum: 0,
  }),
  redisQueueDb: field.integer('REDIS_QUEUE_DB', {
    description: 'Database of the queue role: BullMQ, breakers, provider budgets. Default: 1.',
    optional: true,
    minimum: 0,
  }),
  redisWebhookDb: field.integer('REDIS_WEBHOOK_DB', {
    description: 'Database of webhook de-duplication. Default: 2.',
    optional: true,
    minimum: 0,
  }),
  redisTtlSeconds: field.integer('REDIS_TTL_SECONDS', {
    description: 'How long a webhook is remembered, in seconds.',
    default: 86_400,
    minimum: 1,
  }),
  redisSentinels: field.list('REDIS_SENTINELS', {
    description: 'Sentinels as host:port,host:port; needs REDIS_SENTINEL_NAME.',
    optional: true,
  }),
  redisSentinelName: field.string('REDIS_SENTINEL_NAME', {
    description: 'Name of the master that the sentinels watch.',
    optional: true,
  }),
  redisSentinelPassword: field.string('REDIS_SENTINEL_PASSWORD', {
    description: 'Password of the sentinels themselves, where they ask for one.',
    optional: true,
    secret: true,
  }),
  redisClusterNodes: field.list('REDIS_CLUSTER_NODES', {
    description: 'Some nodes of a Redis Cluster as host:port,host:port. Roles then differ by key prefix.',
    optional: true,
  }),
  redisCommandTimeoutMs: field.integer('REDIS_COMMAND_TIMEOUT_MS', {
    description: 'How long a request waits for one Redis command before it goes on without, in ms.',
    default: 1000,
    minimum: 10,
  }),
  redisConnectTimeoutMs: field.integer('REDIS_CONNECT_TIMEOUT_MS', {
    description: 'How long one attempt to connect to Redis may take, in ms.',
    default: 2000,
    minimum: 10,
  }),
} satisfies ConfigFields;
