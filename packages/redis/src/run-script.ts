import { createHash } from 'node:crypto';
import type { RedisClient } from './redis-client.ts';

/** Runs a Lua script on a client: one round trip, two the first time a server sees the script. */
export type Script = (
  client: RedisClient,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>;

/** Prepares a Lua script to be called by its hash. All its keys must share a cluster slot. */
export function prepareScript(lua: string): Script {
  const hash = createHash('sha1').update(lua).digest('hex');
  return async (client, keys, args) => {
    try {
      return await client.evalsha(hash, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.eval(lua, keys.length, ...keys, ...args);
    }
  };
}
