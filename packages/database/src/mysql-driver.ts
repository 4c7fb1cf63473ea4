import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import type { Pool, PoolConnection, ResultSetHeader } from 'mysql2';
import { databaseAway } from './errors.ts';
import { endsTransaction, isConnectionError, mapMysqlError } from './map-mysql-error.ts';
import { type Parameter, toParameter } from './to-parameter.ts';
import type { TransactionScope } from './transaction-scope.ts';

/** What every connection is set to, so that no server's defaults show through. */
const sessionSettings = [
  'set session transaction isolation level read committed',
  `set session time_zone = '+00:00',
    sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    lc_messages = 'en_US',
    innodb_lock_wait_timeout = 10,
    lock_wait_timeout = 60`,
];

/** Settings of {@link MysqlDriver}. */
export interface MysqlDriverOptions {
  pool: Pool;
  scope: TransactionScope;
  /** Whoever waits longer for a connection of the pool gets DATABASE_AWAY. */
  acquireTimeoutMs: number;
  /** A query without an answer for so long ends with its connection. 0: never, for migrations. */
  queryTimeoutMs: () => number;
  /** Sees every statement before it is sent; may throw. */
  inspect?: ((sql: string) => void) | undefined;
}

/** Drives a pool of mysql2. Unlike Kysely's own it sets sessions up, bounds every wait, and counts as SQLite does. */
export class MysqlDriver implements Driver {
  readonly #options: MysqlDriverOptions;
  readonly #connections = new WeakMap<PoolConnection, MysqlConnection>();

  constructor(options: MysqlDriverOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<MysqlConnection> {
    this.#options.scope.assertOutside();
    const raw = await this.#take();
    let connection = this.#connections.get(raw);
    if (!connection) {
      connection = new MysqlConnection(raw, this.#options);
      try {
        for (const statement of sessionSettings) await connection.executeQuery(CompiledQuery.raw(statement));
      } catch (error) {
        raw.destroy();
        throw error;
      }
      this.#connections.set(raw, connection);
    }
    return connection;
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    (connection as MysqlConnection).release();
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    if (settings.isolationLevel || settings.accessMode)
      throw new Error('transactions are read committed, on both databases');
    await (connection as MysqlConnection).begin();
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as MysqlConnection).rollback();
  }

  destroy(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#options.pool.end((error) => (error ? reject(error) : resolve()));
    });
  }

  #take(): Promise<PoolConnection> {
    const { pool, acquireTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        reject(databaseAway(`no database connection became free in ${acquireTimeoutMs} ms`));
      }, acquireTimeoutMs);
      pool.getConnection((error, connection) => {
        clearTimeout(timer);
        if (error) reject(mapMysqlError(error));
        else if (isLate) connection.release();
        else resolve(connection);
      });
    });
  }
}

/** One connection of the pool. */
class MysqlConnection implements DatabaseConnection {
  readonly #raw: PoolConnection;
  readonly #options: MysqlDriverOptions;
  /** Why the server has rolled the transaction back, though nobody asked: what follows must not run outside of it. */
  #doomedBy: unknown;
  #inTransaction = false;
  #isBroken = false;

  constructor(raw: PoolConnection, options: MysqlDriverOptions) {
    this.#raw = raw;
    this.#options = options;
  }

  async begin(): Promise<void> {
    this.#doomedBy = undefined;
    await this.executeQuery(CompiledQuery.raw('begin'));
    this.#inTransaction = true;
  }

  async rollback(): Promise<void> {
    this.#doomedBy = undefined;
    this.#inTransaction = false;
    // The server rolls back what a lost connection left.
    if (this.#isBroken) return;
    try {
      await this.executeQuery(CompiledQuery.raw('rollback'));
    } catch {
      // The error that led here says more. A connection that can't roll back must not be used again.
      this.#isBroken = true;
    }
  }

  release(): void {
    this.#inTransaction = false;
    if (this.#isBroken) this.#raw.destroy();
    else this.#raw.release();
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#doomedBy !== undefined) throw this.#doomedBy;
    this.#options.inspect?.(sql);
    try {
      const result = await this.#query(sql, parameters.map(bind));
      if (Array.isArray(result)) return { rows: result as R[] };
      const { affectedRows, changedRows, insertId, info } = result;
      // With FOUND_ROWS off an insert counts exactly, and an update says "Rows matched: 3  Changed: 1": SQLite counts matches.
      const matched = /^Rows matched: (\d+)/.exec(info);
      return {
        rows: [],
        numAffectedRows: BigInt(matched?.[1] ?? affectedRows),
        numChangedRows: BigInt(changedRows),
        ...(insertId ? { insertId: BigInt(insertId) } : {}),
      };
    } catch (error) {
      if (isConnectionError(error)) this.#isBroken = true;
      if (this.#inTransaction && (this.#isBroken || endsTransaction(error)))
        this.#doomedBy = mapMysqlError(error);
      throw mapMysqlError(error);
    }
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streams do not work on both databases; page by key instead');
  }

  #query(sql: string, values: Parameter[]): Promise<ResultSetHeader | unknown[]> {
    const timeout = this.#options.queryTimeoutMs();
    return new Promise((resolve, reject) => {
      this.#raw.query({ sql, values, ...(timeout > 0 ? { timeout } : {}) }, (error, result) => {
        // The answer may still come: over this connection nobody could tell whose it is.
        if ((error as { code?: string } | null)?.code === 'PROTOCOL_SEQUENCE_TIMEOUT') this.#raw.destroy();
        if (error) reject(error);
        else resolve(result as unknown as ResultSetHeader | unknown[]);
      });
    });
  }
}

/** mysql2 knows Buffers. */
function bind(value: unknown): Parameter {
  const parameter = toParameter(value);
  return parameter instanceof Uint8Array && !Buffer.isBuffer(parameter) ? Buffer.from(parameter) : parameter;
}
