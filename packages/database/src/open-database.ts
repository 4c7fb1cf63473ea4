import { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Logger } from 'pino';
import { createMysqlCheck } from './check-mysql-sql.ts';
import { connectMysql, createLoneConnection } from './connect-mysql.ts';
import { createCheckpointer } from './create-checkpointer.ts';
import type { Database } from './database.ts';
import { createMysqlDialect, createSqliteDialect } from './dialects.ts';
import { parseMysqlUrl } from './mysql-address.ts';
import { createMysqlPing } from './mysql-ping.ts';
import { openSqlite } from './open-sqlite.ts';
import { retryingTransaction } from './retrying-transaction.ts';
import { runMigrations, withMysqlLock } from './run-migrations.ts';
import { createTransactionScope } from './transaction-scope.ts';

/** What {@link openDatabase} needs. */
export interface OpenDatabaseOptions {
  /** Names the SQLite file or the MySQL database. */
  service: string;
  /** `mysql://…`; undefined means SQLite. */
  url: string | undefined;
  /** Folder of SQLite files. */
  dataDir: string;
  /** By name; applied in the order of names, once each. */
  migrations: Record<string, Migration>;
  logger: Logger;
  /** Connections to MySQL, 10 by default. */
  poolSize?: number;
  /** A MySQL query without an answer for so long ends with DATABASE_AWAY. Default 60 000. */
  queryTimeoutMs?: number;
  /** Whether SQL that MySQL 8.4 lacks throws SQL_NOT_PORTABLE. Default: when NODE_ENV is `test`, or under tap. */
  checkSql?: boolean;
}

/**
 * Opens a service's database and brings its tables up to date.
 *
 * @throws ConfigError naming DATABASE_URL or DATA_DIR within 5 s: unreachable, hung, refused, or a SQLite file in use.
 */
export async function openDatabase<DB>(options: OpenDatabaseOptions): Promise<Database<DB>> {
  return options.url === undefined ? openOnSqlite(options) : openOnMysql(options, options.url);
}

async function openOnSqlite<DB>(options: OpenDatabaseOptions): Promise<Database<DB>> {
  const { database, path, unlock } = openSqlite(options.dataDir, options.service);
  const scope = createTransactionScope();
  const checkpointer = createCheckpointer(database, path, options.logger);
  const db = new Kysely<DB>({ dialect: createSqliteDialect(database, scope, checkpointer.committed) });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= checkpointer
      .close()
      .then(() => db.destroy())
      // Kysely leaves a driver that was never used alone.
      .then(() => (database.isOpen ? database.close() : undefined))
      .finally(unlock);
    return closed;
  };
  try {
    await runMigrations(db, options.migrations, options.logger);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    db,
    dialect: 'sqlite',
    transaction: (work) => retryingTransaction(db, scope, work),
    ping: async () => {
      try {
        // Past the queue of queries: a long transaction is no reason to call the database dead.
        database.prepare('select 1').get();
        return true;
      } catch {
        return false;
      }
    },
    close,
  };
}

async function openOnMysql<DB>(options: OpenDatabaseOptions, url: string): Promise<Database<DB>> {
  const address = parseMysqlUrl(url, options.service);
  const pool = await connectMysql(address, options.poolSize ?? 10);
  const scope = createTransactionScope();
  const queryTimeoutMs = options.queryTimeoutMs ?? 60_000;
  let migrating = true;
  const db = new Kysely<DB>({
    dialect: createMysqlDialect({
      pool,
      scope,
      acquireTimeoutMs: 15_000,
      queryTimeoutMs: () => (migrating ? 0 : queryTimeoutMs),
      inspect: (options.checkSql ?? isUnderTest()) ? createMysqlCheck() : undefined,
    }),
  });
  const pinger = createMysqlPing(() => createLoneConnection(address));
  let closed: Promise<void> | undefined;
  const close = () => {
    pinger.close();
    closed ??= db.destroy();
    return closed;
  };
  try {
    await withMysqlLock(createLoneConnection(address), address.database, () =>
      runMigrations(db, options.migrations, options.logger),
    );
    migrating = false;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    db,
    dialect: 'mysql',
    transaction: (work) => retryingTransaction(db, scope, work),
    ping: (timeoutMs = 1000) => pinger.ping(timeoutMs),
    close,
  };
}

/** The one look at the environment outside of main.ts: every suite must get the check without asking for it. */
function isUnderTest(): boolean {
  return process.env.NODE_ENV === 'test' || process.env.TAP === '1';
}
