import type { RedisClient, RedisRole, RedisSettings } from '@switchyard/redis';
import { Counter, Gauge, type Registry } from 'prom-client';
import { type RedisNode, type RedisState, readRedisState } from './read-redis-state.ts';

const roles = ['queue', 'dedup', 'cache'] as const satisfies readonly RedisRole[];

type Reading = RedisNode & { role: RedisRole };
type Read = (state: RedisState) => number | undefined;

const figure =
  (name: string): Read =>
  ({ info }) => {
    const value = Number(info.get(name));
    return Number.isFinite(value) ? value : undefined;
  };
const isOk =
  (name: string): Read =>
  ({ info }) =>
    info.has(name) ? Number(info.get(name) === 'ok') : undefined;

/** Names are redis_exporter's, so that its dashboards and rules fit. */
const gauges: readonly [name: string, help: string, read: Read][] = [
  ['redis_ping_seconds', 'Round trip of a PING.', ({ pingSeconds }) => pingSeconds],
  ['redis_memory_used_bytes', 'Memory in use.', figure('used_memory')],
  ['redis_memory_max_bytes', 'maxmemory; 0 means no limit.', figure('maxmemory')],
  ['redis_mem_fragmentation_ratio', 'Resident memory over memory in use.', figure('mem_fragmentation_ratio')],
  ['redis_connected_clients', 'Connections of clients.', figure('connected_clients')],
  ['redis_blocked_clients', 'Clients that wait in a blocking command.', figure('blocked_clients')],
  ['redis_config_maxclients', 'Connections of clients at most.', figure('maxclients')],
  ['redis_aof_enabled', '1 when the append-only file is on.', figure('aof_enabled')],
  ['redis_aof_last_write_status', '1 when the last write of it was ok.', isOk('aof_last_write_status')],
  ['redis_rdb_last_bgsave_status', '1 when the last snapshot was ok.', isOk('rdb_last_bgsave_status')],
];
const counters: readonly [name: string, help: string, read: Read][] = [
  ['redis_evicted_keys_total', 'Keys evicted because of maxmemory.', figure('evicted_keys')],
  ['redis_keyspace_hits_total', 'Look-ups that found a key.', figure('keyspace_hits')],
  ['redis_keyspace_misses_total', 'Look-ups that found none.', figure('keyspace_misses')],
  [
    'redis_rejected_connections_total',
    'Connections refused because of maxclients.',
    figure('rejected_connections'),
  ],
  ['redis_commands_processed_total', 'Commands processed.', figure('total_commands_processed')],
  [
    'redis_cpu_seconds_total',
    'Processor time of the server.',
    ({ info }) => Number(info.get('used_cpu_sys') ?? 0) + Number(info.get('used_cpu_user') ?? 0),
  ],
];

/**
 * Adds the metrics of Redis, per role and server: read at a scrape, once for all. A server that is away or hangs has
 * `redis_up` 0 and nothing else.
 */
export function registerRedisMetrics(
  registry: Registry,
  redis: { clients: Record<RedisRole, RedisClient>; settings: RedisSettings },
): void {
  let underWay: Promise<Reading[]> | undefined;
  const registers = [registry];
  const labelNames = ['role', 'node'];

  async function readAll(): Promise<Reading[]> {
    const perRole = roles.map(async (role) => {
      const nodes = await readRedisState(redis.clients[role], redis.settings[role]);
      return nodes.map((each) => ({ ...each, role }));
    });
    return (await Promise.all(perRole)).flat();
  }
  /** A scrape asks once for each metric, all at the same time. */
  function readShared(): Promise<Reading[]> {
    underWay ??= readAll().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  new Gauge({
    name: 'redis_up',
    help: '1 when Redis answers.',
    labelNames,
    registers,
    async collect() {
      const all = await readShared();
      this.reset();
      for (const { role, node, state } of all) this.set({ role, node }, state === undefined ? 0 : 1);
    },
  });
  for (const [name, help, read] of gauges)
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        const all = await readShared();
        this.reset();
        for (const { role, node, value } of valuesOf(all, read)) this.set({ role, node }, value);
      },
    });
  for (const [name, help, read] of counters)
    new Counter({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        const all = await readShared();
        this.reset();
        for (const { role, node, value } of valuesOf(all, read)) this.inc({ role, node }, value);
      },
    });
}

function valuesOf(all: readonly Reading[], read: Read) {
  return all.flatMap(({ role, node, state }) => {
    const value = state && read(state);
    return value === undefined ? [] : [{ role, node, value }];
  });
}
