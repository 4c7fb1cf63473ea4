import type { RedisClient, RoleSettings } from '@switchyard/redis';
import type { Redis } from 'ioredis';
import { bounded } from '../queues/bounded.ts';

/** One Redis server as one role sees it. */
export interface RedisNode {
  /** Host and port; behind Sentinel, the name of the master's group. */
  node: string;
  /** Undefined while it doesn't answer. */
  state: RedisState | undefined;
}

/** What a server says of itself. */
export interface RedisState {
  pingSeconds: number;
  /** `INFO`, name → value as text. */
  info: ReadonlyMap<string, string>;
}

const readTimeoutMs = 2000;

/**
 * Asks a role's server (on a cluster, every master) for its state: two round trips, never longer than two seconds, never
 * an error.
 */
export async function readRedisState(client: RedisClient, settings: RoleSettings): Promise<RedisNode[]> {
  const [first] = settings.addresses;
  const address = `${first?.host ?? 'localhost'}:${first?.port ?? 6379}`;
  if (!('nodes' in client)) {
    const node = settings.mode === 'sentinel' ? (settings.sentinelName ?? address) : address;
    return [{ node, state: await readServer(client) }];
  }
  const masters = client.status === 'ready' ? client.nodes('master') : [];
  if (masters.length === 0) return [{ node: address, state: undefined }];
  return Promise.all(
    masters.map(async (master) => ({
      node: `${master.options.host}:${master.options.port}`,
      state: await readServer(master),
    })),
  );
}

async function readServer(server: Redis): Promise<RedisState | undefined> {
  // A cluster connects to a node with the first command for it.
  if (server.status !== 'ready' && server.status !== 'wait') return undefined;
  try {
    return await bounded(ask(server), readTimeoutMs);
  } catch {
    return undefined;
  }
}

async function ask(server: Redis): Promise<RedisState> {
  const startedMs = performance.now();
  await server.ping();
  const pingSeconds = (performance.now() - startedMs) / 1000;
  return { pingSeconds, info: parseInfo(await server.info()) };
}

function parseInfo(text: string): Map<string, string> {
  const info = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) info.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return info;
}
