import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import type { Test } from 'tap';
import { isMysqlInstalled, startMysql } from './start-mysql.ts';
import type { Teardown } from './teardown.ts';

/** Where a test's tables go. */
export interface TestDatabase {
  name: 'sqlite' | 'mysql';
  /** A `DATABASE_URL` whose path is a prefix of this test's own (databases `<prefix>_<service>`); undefined means SQLite. */
  url: string | undefined;
  /** An empty folder of this test's own, on both databases. */
  dataDir: string;
}

/**
 * Runs a test twice, on empty databases: on SQLite, and on MySQL (MariaDB stands in).
 *
 * The server is `TEST_MYSQL_URL`'s; else one mariadbd is started for this process and those it starts. Where neither
 * exists the MySQL half is skipped and says so, and with `CI` set it fails instead.
 *
 * @param t the parent test.
 * @param name the guarantee; ` (sqlite)` and ` (mysql)` are appended.
 */
export async function eachDatabase(
  t: Test,
  name: string,
  body: (t: Test, database: TestDatabase) => unknown,
): Promise<void> {
  const onSqlite = t.test(`${name} (sqlite)`, async (t) => body(t, await createSqliteDatabase(t)));
  const missing = 'set TEST_MYSQL_URL or install mariadb-server to run this on MySQL';
  const available = process.env.TEST_MYSQL_URL || isMysqlInstalled() || process.env.CI;
  const onMysql = t.test(`${name} (mysql)`, available ? {} : { skip: missing }, async (t) =>
    body(t, await createMysqlDatabase(t)),
  );
  await Promise.all([onSqlite, onMysql]);
}

/** An empty folder for SQLite files, removed after the test. */
export async function createSqliteDatabase(t: Teardown): Promise<TestDatabase> {
  return { name: 'sqlite', url: undefined, dataDir: await createDataDir(t) };
}

/** A database-name prefix of the test's own on the shared server; its databases are dropped after the test. */
export async function createMysqlDatabase(t: Teardown): Promise<TestDatabase> {
  const server = await mysqlUrl();
  const prefix = `test_${randomBytes(6).toString('hex')}`;
  const dataDir = await createDataDir(t);
  t.teardown(() => dropDatabases(server, prefix));
  const url = new URL(server);
  url.pathname = `/${prefix}`;
  return { name: 'mysql', url: url.href, dataDir };
}

let shared: Promise<string> | undefined;

/** The server's URL; starts one on the first call. Children inherit it by the environment. */
function mysqlUrl(): Promise<string> {
  const given = process.env.TEST_MYSQL_URL;
  if (given) return Promise.resolve(given);
  shared ??= startMysql().then(({ url, pid }) => {
    process.env.TEST_MYSQL_URL = url;
    process.once('exit', () => {
      // The guard removes its files; this is only sooner.
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    });
    return url;
  });
  return shared;
}

async function createDataDir(t: Teardown): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'switchyard-data-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

async function dropDatabases(server: string, prefix: string): Promise<void> {
  const connection = await createConnection(server);
  try {
    // A connection that the test left open may hold locks: fail rather than wait for the day-long default.
    await connection.query('SET SESSION lock_wait_timeout = 5');
    const [rows] = await connection.query('SELECT schema_name AS name FROM information_schema.schemata');
    for (const { name } of rows as { name: string }[])
      if (name.startsWith(prefix)) await connection.query(`DROP DATABASE \`${name}\``);
  } finally {
    await connection.end();
  }
}
