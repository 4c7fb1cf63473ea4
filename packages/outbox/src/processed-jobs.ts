import { randomBytes } from 'node:crypto';
import { type Database, insertIgnore, type Transaction } from '@switchyard/database';
import { ownTables } from './tables.ts';

const dayMs = 24 * 60 * 60 * 1000;
const purgedAtOnce = 2000;

/** Remembers which jobs have had their effect. */
export interface ProcessedJobs<DB> {
  /**
   * Claims a job's effect for this transaction. The first call says true, every later one false, also one that waits for the
   * first to commit. Rolled back with the transaction.
   *
   * @param jobId unique over the queues of the service; prefix it where two queues could give the same.
   */
  firstTime(trx: Transaction<DB>, jobId: string): Promise<boolean>;
  /** {@link ProcessedJobs.firstTime} for many: the ids that are new. */
  firstTimeMany(trx: Transaction<DB>, jobIds: Iterable<string>): Promise<Set<string>>;
  /** Forgets ids older than the retention. Call it now and then. @returns how many. */
  purge(): Promise<number>;
}

/**
 * Makes the ledger of a service's processed jobs.
 *
 * @param options.retentionMs 8 days by default: longer than any provider or queue repeats.
 */
export function createProcessedJobs<DB>({
  database,
  retentionMs = 8 * dayMs,
}: {
  database: Database<DB>;
  retentionMs?: number;
}): ProcessedJobs<DB> {
  const { dialect } = database;

  async function insert(trx: Transaction<DB>, jobIds: readonly string[], token: string): Promise<number> {
    const processedAtMs = Date.now();
    const rows = jobIds.map((jobId) => ({ jobId, token, processedAtMs }));
    return insertIgnore(ownTables(trx), dialect, 'processed_jobs', rows, ['jobId']);
  }

  return {
    async firstTime(trx, jobId) {
      return (await insert(trx, [jobId], '')) === 1;
    },
    async firstTimeMany(trx, jobIds) {
      // In one order everywhere: transactions that share ids wait for each other instead of deadlocking.
      const ids = [...new Set(jobIds)].sort();
      const token = randomBytes(12).toString('base64url');
      const inserted = await insert(trx, ids, token);
      if (inserted === ids.length) return new Set(ids);
      const fresh = new Set<string>();
      for (let at = 0; at < ids.length; at += purgedAtOnce) {
        const rows = await ownTables(trx)
          .selectFrom('processed_jobs')
          .select('jobId')
          .where('jobId', 'in', ids.slice(at, at + purgedAtOnce))
          .where('token', '=', token)
          .execute();
        for (const { jobId } of rows) fresh.add(jobId);
      }
      return fresh;
    },
    async purge() {
      const db = ownTables(database.db);
      const before = Date.now() - retentionMs;
      let purged = 0;
      for (;;) {
        const old = await db
          .selectFrom('processed_jobs')
          .select('jobId')
          .where('processedAtMs', '<', before)
          .orderBy('processedAtMs')
          .limit(purgedAtOnce)
          .execute();
        if (old.length === 0) return purged;
        const ids = old.map(({ jobId }) => jobId);
        const { numDeletedRows } = await db
          .deleteFrom('processed_jobs')
          .where('jobId', 'in', ids)
          .executeTakeFirstOrThrow();
        purged += Number(numDeletedRows);
        if (old.length < purgedAtOnce) return purged;
      }
    },
  };
}
