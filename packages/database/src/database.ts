import type { Kysely, Transaction } from 'kysely';
import type { DialectName } from './dialects.ts';

/** A service's own tables. */
export interface Database<DB> {
  /** For queries outside transactions. Within `transaction()` its use throws QUERY_OUTSIDE_TRANSACTION. */
  readonly db: Kysely<DB>;
  readonly dialect: DialectName;
  /**
   * Runs `work` in a transaction (read committed on MySQL, serial on SQLite) and commits.
   *
   * `work` runs again, from its start, after a deadlock or a wait for a lock: it must not have effects outside of SQL. On SQLite
   * all other queries of the process wait meanwhile, so don't wait in it for anything but SQL.
   *
   * @throws whatever `work` throws, rolled back.
   * @throws TRANSACTION_NESTED within another transaction of the same database.
   * @throws DATABASE_BUSY after ten tries. DATABASE_AWAY: it may or may not have been committed.
   */
  transaction<T>(work: (trx: Transaction<DB>) => Promise<T>): Promise<T>;
  /** Whether the database answers, over a connection of its own. Never throws. `timeoutMs` 1000 by default. */
  ping(timeoutMs?: number): Promise<boolean>;
  /** Waits for what is under way, then closes. */
  close(): Promise<void>;
}
