import { type Database, insertIgnore } from '@switchyard/database';
import {
  createPersonFinder,
  type FailedJobsSink,
  needleOf,
  type PersonIdentifier,
  type QueueName,
  withoutPerson,
} from '@switchyard/jobs';
import { failedJobRetried, failedJobUnknown } from './errors.ts';
import {
  type FailedJob,
  type FailedJobSummary,
  failedJobRow,
  failedJobSummary,
  jobOfFailed,
} from './failed-job.ts';
import type { Outbox } from './outbox.ts';
import { createOutboxRow, insertOutboxRows, usualOlderThanMs } from './outbox-rows.ts';
import type { OutboxPoint, OutboxProducer } from './publish-rows.ts';
import { type FailedJobsTable, ownTables } from './tables.ts';

const listedColumns = [
  'id',
  'queue',
  'name',
  'jobId',
  'merchantId',
  'correlationId',
  'code',
  'reason',
  'attemptsMade',
  'failedAtMs',
  'retriedAtMs',
] as const satisfies readonly (keyof FailedJobsTable)[];

/** Which failed jobs a caller may see; undefined: all. */
export interface FailedJobsScope {
  merchantId?: string | undefined;
}

/** What {@link FailedJobs.list} shows. */
export interface FailedJobsQuery extends FailedJobsScope {
  queue?: QueueName | undefined;
  code?: string | undefined;
  /** true: only retried ones; false, the default: only those that wait for someone. */
  retried?: boolean | undefined;
  /** 50 by default, 500 at most. */
  limit?: number | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
}

/** Keeps jobs that failed for good until someone retries or drops them. */
export interface FailedJobs extends FailedJobsSink {
  /** Newest first. */
  list(query?: FailedJobsQuery): Promise<{ items: FailedJobSummary[]; nextCursor: string | undefined }>;
  /** @throws FAILED_JOB_UNKNOWN */
  get(id: string, scope?: FailedJobsScope): Promise<FailedJob>;
  /**
   * Adds the job again with all its attempts, and marks it retried: both or, whatever dies, neither.
   *
   * @throws FAILED_JOB_UNKNOWN, FAILED_JOB_RETRIED, FAILED_JOB_UNREADABLE, or PAYLOAD_INVALID when the catalog won't take it.
   */
  retry(id: string, scope?: FailedJobsScope): Promise<void>;
  /** Forgets it for good, here and in its queue's failed set. @throws FAILED_JOB_UNKNOWN, or QUEUE_AWAY: then it is kept. */
  drop(id: string, scope?: FailedJobsScope): Promise<void>;
  /**
   * Forgets a merchant's jobs that name a person, here and in their queues' failed sets. Of a job about several people, only what
   * names this one goes; it can still be retried for the others. An erasure that failed stays, since it must be retried.
   *
   * @returns how many of them were changed or forgotten. @throws QUEUE_AWAY: some may be left; twice is harmless.
   */
  forgetPerson(merchantId: string, identifiers: readonly PersonIdentifier[]): Promise<number>;
  /** Forgets those retried more than `olderThanMs` ago. @returns how many. */
  purgeRetried(olderThanMs: number): Promise<number>;
}

/** What {@link createFailedJobs} needs. */
export interface FailedJobsOptions<DB> {
  /** With {@link failedJobsMigration} and {@link outboxMigration} applied. */
  database: Database<DB>;
  producer: OutboxProducer;
  /** The service's: it deletes a retry's row when its job is safe. */
  outbox: Pick<Outbox<DB>, 'hold'>;
  /** How long a retry's job is left to this process before a sweeper adds it, 6000 by default; as the outbox's. */
  olderThanMs?: number;
  /** For tests that kill the process. */
  signal?: (point: OutboxPoint) => void;
}

/** Makes the keeper of a service's failed jobs. The service's outbox must be running: its sweeper finishes retries cut short. */
export function createFailedJobs<DB>(options: FailedJobsOptions<DB>): FailedJobs {
  const { database, producer, outbox, olderThanMs = usualOlderThanMs, signal = () => {} } = options;
  const db = ownTables(database.db);

  async function find(id: string, scope: FailedJobsScope | undefined): Promise<FailedJobsTable> {
    let query = db.selectFrom('failed_jobs').selectAll().where('id', '=', id);
    if (scope?.merchantId !== undefined) query = query.where('merchantId', '=', scope.merchantId);
    const row = await query.executeTakeFirst();
    if (!row) throw failedJobUnknown('no failed job has this id', { details: { id } });
    return row;
  }

  /**
   * Takes the job out of its queue's failed set. This goes before its row: whatever dies in between, the row is still there to be
   * dropped again, or retried. Once retried, what its queue has under this id is no longer the job that failed.
   */
  async function forgetQueued({ queue, jobId, retriedAtMs }: FailedJobsTable): Promise<void> {
    if (retriedAtMs === null) await producer.forget(queue as QueueName, jobId);
  }

  return {
    async record(entry) {
      await insertIgnore(db, database.dialect, 'failed_jobs', [failedJobRow(entry)], ['id']);
    },
    async list(query = {}) {
      const limit = Math.min(Math.max(1, query.limit ?? 50), 500);
      let select = db
        .selectFrom('failed_jobs')
        .select(listedColumns)
        .where('retriedAtMs', query.retried ? 'is not' : 'is', null)
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (query.merchantId !== undefined) select = select.where('merchantId', '=', query.merchantId);
      if (query.queue !== undefined) select = select.where('queue', '=', query.queue);
      if (query.code !== undefined) select = select.where('code', '=', query.code);
      if (query.cursor !== undefined) select = select.where('id', '<', query.cursor);
      const rows = await select.execute();
      const items = rows.slice(0, limit).map(failedJobSummary);
      return { items, nextCursor: rows.length > limit ? items.at(-1)?.id : undefined };
    },
    async get(id, scope) {
      const row = await find(id, scope);
      return { ...failedJobSummary(row), data: row.data };
    },
    async retry(id, scope) {
      const row = await find(id, scope);
      const job = jobOfFailed(row);
      producer.check(job);
      const outboxRow = createOutboxRow(job, true);
      await database.transaction(async (trx) => {
        const { numUpdatedRows } = await ownTables(trx)
          .updateTable('failed_jobs')
          .set({ retriedAtMs: Date.now() })
          .where('id', '=', id)
          .where('retriedAtMs', 'is', null)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows === 0n)
          throw failedJobRetried('this failed job has been retried', { details: { id } });
        signal('before-insert');
        await insertOutboxRows(trx, database.dialect, [outboxRow], olderThanMs);
        signal('after-insert');
      });
      signal('after-commit');
      const breaks = producer.link.breaks();
      try {
        await forgetQueued(row);
        await producer.addMany([job]);
        signal('after-add');
        outbox.hold([outboxRow.id], breaks);
      } catch {
        // It is recorded: the outbox's sweeper adds it, and says so if it can't.
      }
    },
    async drop(id, scope) {
      const row = await find(id, scope);
      await forgetQueued(row);
      await db.deleteFrom('failed_jobs').where('id', '=', row.id).execute();
    },
    async forgetPerson(merchantId, identifiers) {
      const isNamed = createPersonFinder(identifiers);
      const needles = identifiers.flatMap((each) => needleOf(each) ?? []);
      if (needles.length === 0) return 0;
      // SQL finds a few too many; which of them name the person is decided here.
      const found = await db
        .selectFrom('failed_jobs')
        .select('id')
        .where((eb) => eb.or([eb('merchantId', '=', merchantId), eb('merchantId', 'is', null)]))
        .where('name', '!=', 'erase-person')
        .where((eb) =>
          eb.or(needles.map((needle) => eb(eb.fn('lower', ['data']), 'like', `%${needle.toLowerCase()}%`))),
        )
        .execute();
      let changed = 0;
      for (const { id } of found) {
        const row = await db.selectFrom('failed_jobs').selectAll().where('id', '=', id).executeTakeFirst();
        if (!row || !isNamed(row.data)) continue;
        const rest = withoutPerson(row.data, isNamed);
        await forgetQueued(row);
        if (rest === undefined) await db.deleteFrom('failed_jobs').where('id', '=', id).execute();
        else await db.updateTable('failed_jobs').set({ data: rest }).where('id', '=', id).execute();
        changed++;
      }
      return changed;
    },
    async purgeRetried(olderThanMs) {
      const { numDeletedRows } = await db
        .deleteFrom('failed_jobs')
        .where('retriedAtMs', '<', Date.now() - olderThanMs)
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    },
  };
}
