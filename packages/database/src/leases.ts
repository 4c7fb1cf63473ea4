import { randomBytes } from 'node:crypto';
import { type Kysely, type QueryExecutorProvider, sql } from 'kysely';
import { databaseNow } from './database-clock.ts';
import type { DialectName } from './dialects.ts';
import { leaseLost } from './errors.ts';

/** The right to do something alone, for a while. */
export interface Lease {
  readonly name: string;
  readonly owner: string;
  /** Greater for every later holder of the same name, for ever: whoever sees a greater one has lost. */
  readonly fence: number;
}

/** Grants leases, by the database's clock. */
export interface Leases {
  /**
   * Takes the lease if nobody holds it; an owner that holds it already gets none either.
   *
   * Waits for a transaction that has checked or released the lease: once that has let go, this gets it.
   */
  acquire(name: string, options: { owner: string; ttlMs: number }): Promise<Lease | undefined>;
  /**
   * Takes, for the rest of this transaction, all those leases that nobody holds. Whoever wants one of them waits for the transaction;
   * with its end they are free again. An earlier holder that has run out finds its lease lost.
   *
   * Give the names of all contacts of a batch at once: they are locked in one order everywhere.
   *
   * @returns the names that were free.
   */
  claim(trx: QueryExecutorProvider, names: Iterable<string>): Promise<Set<string>>;
  /** Makes it last `ttlMs` from now. @returns false when it is lost. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /**
   * Lets go. @returns false when it was lost before.
   * @param executor the transaction that ends the work. "Look once more" comes after it: it locks the lease first.
   */
  release(lease: Lease, executor?: QueryExecutorProvider): Promise<boolean>;
  /**
   * Makes a transaction fail unless the lease still is its holder's, and keeps others from taking it until the transaction
   * ends. One that has run out, but that nobody took, still is.
   *
   * @throws LEASE_LOST
   */
  check(trx: QueryExecutorProvider, lease: Lease): Promise<void>;
  /** Forgets leases that ended more than `olderThanMs` ago. @returns how many. Fences go on growing nevertheless. */
  purge(olderThanMs: number): Promise<number>;
}

/** Makes the leases of a database that has {@link leasesMigration}. */
export function createLeases<DB>({ db, dialect }: { db: Kysely<DB>; dialect: DialectName }): Leases {
  const now = databaseNow(dialect);
  const held = (lease: Lease) =>
    sql`name = ${lease.name} and owner = ${lease.owner} and fence = ${lease.fence}`;

  async function acquireOnMysql(name: string, owner: string, ttlMs: number): Promise<number | undefined> {
    // Assignments run from left to right, so expiresAtMs comes last. last_insert_id(x) hands x to the client.
    const { numAffectedRows, insertId } = await sql`
      insert into leases (name, owner, fence, expiresAtMs)
      values (${name}, ${owner}, last_insert_id(${now}), ${now} + ${ttlMs})
      on duplicate key update
        owner = if(expiresAtMs <= ${now}, values(owner), owner),
        fence = if(expiresAtMs <= ${now}, last_insert_id(fence + 1), fence),
        expiresAtMs = if(expiresAtMs <= ${now}, values(expiresAtMs), expiresAtMs)`.execute(db);
    return numAffectedRows ? Number(insertId) : undefined;
  }

  async function acquireOnSqlite(name: string, owner: string, ttlMs: number): Promise<number | undefined> {
    const { rows } = await sql<{ fence: number }>`
      insert into leases (name, owner, fence, expiresAtMs)
      values (${name}, ${owner}, ${now}, ${now} + ${ttlMs})
      on conflict (name) do update
        set owner = excluded.owner, fence = leases.fence + 1, expiresAtMs = excluded.expiresAtMs
        where leases.expiresAtMs <= ${now}
      returning fence`.execute(db);
    return rows[0]?.fence;
  }

  /** Free ones get the transaction's own owner and a new fence, and expire at once: other transactions see them only after the end. */
  const claimed = (names: readonly string[], token: string) =>
    sql.join(names.map((name) => sql`(${name}, ${token}, ${now}, 0)`));

  async function claimOnMysql(trx: QueryExecutorProvider, names: readonly string[], token: string) {
    await sql`
      insert into leases (name, owner, fence, expiresAtMs) values ${claimed(names, token)}
      on duplicate key update
        owner = if(expiresAtMs <= ${now}, values(owner), owner),
        fence = if(expiresAtMs <= ${now}, fence + 1, fence),
        expiresAtMs = if(expiresAtMs <= ${now}, 0, expiresAtMs)`.execute(trx);
    const { rows } = await sql<{ name: string }>`
      select name from leases where name in (${sql.join(names)}) and owner = ${token}`.execute(trx);
    return rows.map(({ name }) => name);
  }

  async function claimOnSqlite(trx: QueryExecutorProvider, names: readonly string[], token: string) {
    const { rows } = await sql<{ name: string }>`
      insert into leases (name, owner, fence, expiresAtMs) values ${claimed(names, token)}
      on conflict (name) do update
        set owner = excluded.owner, fence = leases.fence + 1, expiresAtMs = 0
        where leases.expiresAtMs <= ${now}
      returning name`.execute(trx);
    return rows.map(({ name }) => name);
  }

  return {
    async acquire(name, { owner, ttlMs }) {
      if (owner === '') throw new TypeError('a lease needs an owner');
      // A row's first fence is the time, so that it also exceeds those of a row that was purged.
      const fence = await (dialect === 'mysql' ? acquireOnMysql : acquireOnSqlite)(name, owner, ttlMs);
      return fence === undefined ? undefined : { name, owner, fence };
    },
    async claim(trx, names) {
      const sorted = [...new Set(names)].sort();
      if (sorted.length === 0) return new Set();
      const token = `claim_${randomBytes(12).toString('base64url')}`;
      return new Set(await (dialect === 'mysql' ? claimOnMysql : claimOnSqlite)(trx, sorted, token));
    },
    async renew(lease, ttlMs) {
      const { numAffectedRows } =
        await sql`update leases set expiresAtMs = ${now} + ${ttlMs} where ${held(lease)}`.execute(db);
      return numAffectedRows === 1n;
    },
    async release(lease, executor) {
      const { numAffectedRows } =
        await sql`update leases set owner = '', expiresAtMs = 0 where ${held(lease)}`.execute(executor ?? db);
      return numAffectedRows === 1n;
    },
    async check(trx, lease) {
      const lock = sql.raw(dialect === 'mysql' ? 'for update' : '');
      const { rows } = await sql`select 1 from leases where ${held(lease)} ${lock}`.execute(trx);
      if (rows.length === 0) throw leaseLost('the lease is lost', { details: { lease: lease.name } });
    },
    async purge(olderThanMs) {
      // Released ones have no time of their own; their next fence is greater than the row's age either way.
      const { numAffectedRows } =
        await sql`delete from leases where expiresAtMs < ${now} - ${olderThanMs} and (expiresAtMs > 0 or fence < ${now} - ${olderThanMs})`.execute(
          db,
        );
      return Number(numAffectedRows ?? 0);
    },
  };
}
