import { ConfigError } from '@switchyard/config';
import type { ConnectionOptions } from 'mysql2';

/** Where a service's tables are, as `DATABASE_URL` says. */
export interface MysqlAddress {
  /** `<prefix>_<service>`, underscores for dashes. */
  database: string;
  /** `host:port`, for messages. */
  host: string;
  /** For mysql2; without the database. */
  connection: ConnectionOptions;
}

/**
 * Reads `mysql://user:password@host:port[/prefix][?tls=true|skip-verify]`.
 *
 * @param service names the database: `switchyard_<service>`, or `<prefix>_<service>`.
 * @throws ConfigError naming DATABASE_URL; never repeats the password.
 */
export function parseMysqlUrl(text: string, service: string): MysqlAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new ConfigError('DATABASE_URL', 'must be mysql://user:password@host:port');
  }
  if (url.protocol !== 'mysql:' || !url.hostname || !url.username)
    throw new ConfigError('DATABASE_URL', 'must be mysql://user:password@host:port');
  const prefix = url.pathname.replace(/^\//, '') || 'switchyard';
  if (!/^[A-Za-z][A-Za-z0-9_]{0,39}$/.test(prefix))
    throw new ConfigError(
      'DATABASE_URL',
      'may end in a prefix for the names of databases: a letter, then letters, digits and underscores, 40 at most',
    );
  const tls = url.searchParams.get('tls');
  if (tls !== null && tls !== 'true' && tls !== 'false' && tls !== 'skip-verify')
    throw new ConfigError('DATABASE_URL', 'tls must be true, false or skip-verify');
  const port = url.port === '' ? 3306 : Number(url.port);
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  return {
    database: `${prefix}_${service.replaceAll('-', '_')}`,
    host: `${url.hostname}:${port}`,
    connection: {
      host: hostname,
      port,
      user: decode(url.username),
      password: decode(url.password),
      ...(tls === 'true' ? { ssl: {} } : {}),
      ...(tls === 'skip-verify' ? { ssl: { rejectUnauthorized: false } } : {}),
    },
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConfigError('DATABASE_URL', 'has a "%" in user or password that is not percent-encoding');
  }
}
