import { ConfigError } from '@switchyard/config';
import type { RedisAddress } from './role-settings.ts';

/** What a Redis URL says. */
export interface ParsedRedisUrl extends RedisAddress {
  username: string | undefined;
  password: string | undefined;
  /** The database in the path, if there is one. */
  db: number | undefined;
  tls: boolean;
  family: 0 | 4 | 6;
}

/**
 * Reads `redis://[[username]:password@]host[:port][/database][?family=0|4|6]`, `rediss://` likewise.
 *
 * @param variable where the text came from, for the error. The text itself is a secret and never shown.
 * @throws ConfigError naming the variable.
 */
export function parseRedisUrl(variable: string, text: string): ParsedRedisUrl {
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'redis:' && url.protocol !== 'rediss:'))
    throw new ConfigError(variable, 'must be a URL that starts with redis:// or rediss://');
  if (url.hostname === '') throw new ConfigError(variable, 'must name a host');
  if (url.hash !== '') throw new ConfigError(variable, 'has a "#": write it as %23 in a password');
  return {
    host: decode(variable, url.hostname).replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    username: decode(variable, url.username) || undefined,
    password: decode(variable, url.password) || undefined,
    db: parseDatabase(variable, url.pathname),
    tls: url.protocol === 'rediss:',
    family: parseFamily(variable, url.searchParams),
  };
}

/**
 * Reads one `host:port`, also `[::1]:6379`; the port may be left out.
 *
 * @throws ConfigError naming the variable.
 */
export function parseAddress(variable: string, text: string, defaultPort: number): RedisAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]/@\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port < 1 || port > 65535)
    throw new ConfigError(variable, 'must be a list of host:port');
  return { host, port };
}

function decode(variable: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConfigError(variable, 'has a "%" that is not followed by two hexadecimal digits');
  }
}

function parseDatabase(variable: string, path: string): number | undefined {
  if (path === '' || path === '/') return undefined;
  if (!/^\/\d{1,6}$/.test(path)) throw new ConfigError(variable, 'must end in a database number or nothing');
  return Number(path.slice(1));
}

function parseFamily(variable: string, query: URLSearchParams): 0 | 4 | 6 {
  let family: 0 | 4 | 6 = 0;
  for (const [name, value] of query) {
    if (name !== 'family' || !['0', '4', '6'].includes(value))
      throw new ConfigError(variable, 'may have no query but family=0, family=4 or family=6');
    family = Number(value) as 0 | 4 | 6;
  }
  return family;
}
