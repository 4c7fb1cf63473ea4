import type { DatabaseSync } from 'node:sqlite';
import {
  type Dialect,
  type Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { MysqlDriver, type MysqlDriverOptions } from './mysql-driver.ts';
import { SqliteDriver } from './sqlite-driver.ts';
import type { TransactionScope } from './transaction-scope.ts';

/** Which SQL a database speaks. `mysql` includes MariaDB. */
export type DialectName = 'sqlite' | 'mysql';

class SwitchyardSqliteAdapter extends SqliteAdapter {
  // Kysely's own mutex would wait before our driver can tell a query that waits for its own transaction.
  override get supportsMultipleConnections(): boolean {
    return true;
  }
  // True of `begin immediate`: a migration is applied whole or not at all.
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class SwitchyardMysqlAdapter extends MysqlAdapter {
  // `runMigrations` holds a lock of its own: Kysely's has one name for the whole server, and waits an hour.
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

/** Kysely's dialect for one node:sqlite connection. */
export function createSqliteDialect(
  database: DatabaseSync,
  scope: TransactionScope,
  onCommit: () => void,
): Dialect {
  return {
    createAdapter: () => new SwitchyardSqliteAdapter(),
    createDriver: () => new SqliteDriver(database, scope, onCommit),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** Kysely's dialect for a pool of mysql2. */
export function createMysqlDialect(options: MysqlDriverOptions): Dialect {
  return {
    createAdapter: () => new SwitchyardMysqlAdapter(),
    createDriver: () => new MysqlDriver(options),
    createIntrospector: (db) => new MysqlIntrospector(db),
    createQueryCompiler: () => new MysqlQueryCompiler(),
  };
}

/** Which SQL an executor speaks: for migrations, which are given nothing else. */
export function dialectOf(executor: Pick<Kysely<unknown>, 'getExecutor'>): DialectName {
  return executor.getExecutor().adapter instanceof MysqlAdapter ? 'mysql' : 'sqlite';
}
