import { ConfigError } from '@switchyard/config';
import { createConnection, createPool, type Pool, type PoolOptions } from 'mysql2';
import { type Connection, createConnection as connectOnce } from 'mysql2/promise';
import type { MysqlAddress } from './mysql-address.ts';

/** A wrong setting must stop the start within 5 s, whatever the server does. */
const startTimeoutMs = 3000;

/** A server on a busy disk takes its time to create a database, and that is no wrong setting. */
const creationTimeoutMs = 60_000;

/** What all our connections have in common. */
export function connectionOptions(address: MysqlAddress): PoolOptions {
  return {
    ...address.connection,
    connectTimeout: startTimeoutMs,
    charset: 'utf8mb4_bin',
    // Else an insert that does nothing because the row exists counts as one row.
    flags: ['-FOUND_ROWS'],
    // Numbers where they are exact; a bigint beyond 2^53 comes as text.
    supportBigNumbers: true,
    bigNumberStrings: false,
    decimalNumbers: true,
    dateStrings: true,
    stringifyObjects: true,
    multipleStatements: false,
    timezone: 'Z',
  };
}

/**
 * Makes the pool of a service's database, after making sure that the database is there, and new enough.
 *
 * @throws ConfigError naming DATABASE_URL: within 5 s, or 60 s where the server does not get a missing database created.
 */
export async function connectMysql(address: MysqlAddress, poolSize: number): Promise<Pool> {
  try {
    await prepareDatabase(address);
  } catch (error) {
    throw error instanceof ConfigError ? error : refused(address, error);
  }
  return createPool({
    ...connectionOptions(address),
    database: address.database,
    connectionLimit: poolSize,
    enableKeepAlive: true,
  });
}

/** A connection that belongs to no pool: pings and locks must get through when the pool is busy. */
export function createLoneConnection(address: MysqlAddress) {
  return createConnection({ ...connectionOptions(address), database: address.database });
}

async function prepareDatabase(address: MysqlAddress): Promise<void> {
  const check = () =>
    onConnection(address, address.database, startTimeoutMs, async (connection) => {
      const [rows] = await connection.query('select version() as version');
      checkVersion(address, (rows as { version: string }[])[0]?.version ?? '');
    });
  await check().catch(async (error) => {
    // 1049: it does not exist. 1044: it does not exist, or is not ours; creating it tells.
    if (error.errno !== 1049 && error.errno !== 1044) throw error;
    await onConnection(address, undefined, creationTimeoutMs, (connection) =>
      createDatabase(address, connection),
    );
    await check();
  });
}

/**
 * Works on one connection, which is gone afterwards.
 *
 * @throws ConfigError after `timeoutMs`, whatever the server does.
 */
async function onConnection(
  address: MysqlAddress,
  database: string | undefined,
  timeoutMs: number,
  work: (connection: Connection) => Promise<void>,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new ConfigError('DATABASE_URL', `${address.host} does not answer within ${timeoutMs} ms`);
    timer = setTimeout(() => reject(error), timeoutMs);
  });
  const connecting = connectOnce({ ...connectionOptions(address), ...(database ? { database } : {}) });
  const done = connecting.then(async (connection) => {
    await work(connection);
    // A client that is just gone is a warning in the server's log.
    await connection.end();
  });
  try {
    await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
    connecting.then(
      (connection) => connection.destroy(),
      () => {},
    );
  }
}

async function createDatabase(address: MysqlAddress, connection: Connection): Promise<void> {
  try {
    await connection.query(
      `create database if not exists \`${address.database}\` character set utf8mb4 collate utf8mb4_bin`,
    );
  } catch (error) {
    throw new ConfigError(
      'DATABASE_URL',
      `names a user who may not create the database ${address.database} on ${address.host}; create it (utf8mb4) and grant all on it (${codeOf(error)})`,
    );
  }
}

function checkVersion(address: MysqlAddress, version: string): void {
  const isMariadb = /mariadb/i.test(version);
  // MariaDB may put a "5.5.5-" in front for old clients.
  const [, major, minor] = /(\d+)\.(\d+)\.\d+/.exec(version.replace(/^5\.5\.5-/, '')) ?? [];
  const found = Number(major) * 1000 + Number(minor);
  const [needed, name] = isMariadb ? [10_006, 'MariaDB 10.6'] : [8_000, 'MySQL 8.0'];
  if (!(found >= needed))
    throw new ConfigError('DATABASE_URL', `${address.host} runs ${version}; at least ${name} is needed`);
}

function refused(address: MysqlAddress, error: unknown): ConfigError {
  const { errno } = error as { errno?: number };
  if (errno === 1045 || errno === 1698)
    return new ConfigError('DATABASE_URL', `is refused by ${address.host}: wrong user or password`);
  if (errno === 1044)
    return new ConfigError(
      'DATABASE_URL',
      `names a user who may not use the database ${address.database} on ${address.host}`,
    );
  return new ConfigError('DATABASE_URL', `${address.host} can't be used (${codeOf(error)})`);
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code || (message ?? 'unknown').split('\n')[0] || 'unknown';
}
