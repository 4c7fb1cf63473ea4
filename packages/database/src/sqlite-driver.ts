import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { CompiledQuery, type DatabaseConnection, type Driver, type QueryResult } from 'kysely';
import { isManyTimes } from './many-times.ts';
import { mapSqliteError } from './map-sqlite-error.ts';
import { createMutex } from './mutex.ts';
import { type Parameter, toParameter } from './to-parameter.ts';
import type { TransactionScope } from './transaction-scope.ts';

/** Statements kept prepared. A long one is a bulk insert, of which few are alike. */
const cachedStatements = 256;
const longestCached = 16_384;

/** node:sqlite answers at once, so a loop of queries never lets go of the event loop unless made to: timers, Redis, HTTP. */
const longestTurnMs = 8;

/** Drives one node:sqlite connection: one user at a time, in the order of asking. */
export class SqliteDriver implements Driver {
  readonly #scope: TransactionScope;
  readonly #mutex = createMutex();
  readonly #connection: SqliteConnection;
  readonly #database: DatabaseSync;

  /** @param onCommit told of every commit, right after it. */
  constructor(database: DatabaseSync, scope: TransactionScope, onCommit: () => void) {
    this.#database = database;
    this.#scope = scope;
    this.#connection = new SqliteConnection(database, onCommit);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    this.#scope.assertOutside();
    await this.#mutex.acquire();
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#mutex.release();
  }

  async beginTransaction(): Promise<void> {
    // A deferred transaction that turns into a writer fails at once, without the busy time-out, when another has written.
    await this.#connection.begin();
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.commit();
  }

  async rollbackTransaction(): Promise<void> {
    this.#connection.rollback();
  }

  async destroy(): Promise<void> {
    await this.#mutex.acquire();
    this.#database.close();
    this.#mutex.release();
  }
}

interface PreparedStatement {
  statement: StatementSync;
  /** Of its rows, by name; none where it only writes. */
  columns: readonly string[];
}

const changesTables = /^\s*(create|alter|drop)\b/i;

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #onCommit: () => void;
  readonly #statements = new Map<string, PreparedStatement>();
  #turnStartedAtMs = 0;
  #inTransaction = false;
  /** Why SQLite rolled the transaction back by itself (full disk, I/O error). What follows would run without one. */
  #doomedBy: unknown;

  constructor(database: DatabaseSync, onCommit: () => void) {
    this.#database = database;
    this.#onCommit = onCommit;
  }

  async begin(): Promise<void> {
    await this.executeQuery(CompiledQuery.raw('begin immediate'));
    this.#inTransaction = true;
  }

  async commit(): Promise<void> {
    await this.executeQuery(CompiledQuery.raw('commit'));
    this.#inTransaction = false;
    this.#onCommit();
  }

  rollback(): void {
    this.#inTransaction = false;
    this.#doomedBy = undefined;
    if (this.#database.isTransaction) this.#database.exec('rollback');
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { sql, parameters } = query;
    const now = performance.now();
    if (now - this.#turnStartedAtMs > longestTurnMs) {
      await setImmediate();
      this.#turnStartedAtMs = performance.now();
    }
    if (this.#doomedBy !== undefined) throw this.#doomedBy;
    try {
      const { statement, columns } = this.#prepare(sql);
      if (isManyTimes(query))
        return { rows: [], numAffectedRows: BigInt(this.#runEach(statement, query.parameterSets)) };
      const bound = parameters.map(bind);
      if (columns.length > 0)
        return { rows: toObjects(statement.all(...bound) as unknown as unknown[][], columns) as R[] };
      const { changes, lastInsertRowid } = statement.run(...bound);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      const mapped = mapSqliteError(error);
      if (this.#inTransaction && !this.#database.isTransaction) this.#doomedBy = mapped;
      throw mapped;
    }
  }

  /** All or none: in a transaction of its own unless one is open, which the caller rolls back when this throws. */
  #runEach(statement: StatementSync, parameterSets: readonly (readonly unknown[])[]): number {
    const isAlone = !this.#database.isTransaction;
    if (isAlone) this.#database.exec('begin immediate');
    try {
      let changes = 0;
      for (const set of parameterSets) changes += Number(statement.run(...set.map(bind)).changes);
      if (isAlone) this.#database.exec('commit');
      return changes;
    } catch (error) {
      if (isAlone && this.#database.isTransaction) this.#database.exec('rollback');
      throw error;
    }
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('a stream would hold the only connection; page by key instead');
  }

  #prepare(sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known) {
      // Keeps the map in the order of use.
      this.#statements.delete(sql);
      this.#statements.set(sql, known);
      return known;
    }
    const statement = this.#database.prepare(sql);
    const columns = statement.columns().map(({ name }) => name);
    if (columns.length > 0) statement.setReturnArrays(true);
    // What a changed table's `select *` returns is no longer what was prepared.
    else if (changesTables.test(sql)) this.#statements.clear();
    const prepared = { statement, columns };
    if (sql.length <= longestCached) {
      this.#statements.set(sql, prepared);
      if (this.#statements.size > cachedStatements)
        this.#statements.delete(this.#statements.keys().next().value as string);
    }
    return prepared;
  }
}

/** Four times as fast as the objects that node:sqlite makes, which have no prototype either, as mysql2's have. */
function toObjects(rows: readonly (readonly unknown[])[], columns: readonly string[]): object[] {
  return rows.map((values) => {
    const row: Record<string, unknown> = {};
    for (let at = 0; at < columns.length; at++) row[columns[at] as string] = values[at];
    return row;
  });
}

/** node:sqlite binds every number as a float, which a text column would store as "5.0". */
function bind(value: unknown): Parameter {
  const parameter = toParameter(value);
  return Number.isSafeInteger(parameter) ? BigInt(parameter as number) : parameter;
}
