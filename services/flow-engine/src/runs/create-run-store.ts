import type { Database } from '@switchyard/database';
import type { Effect, RunInput, Step } from '@switchyard/flows';
import { sql } from 'kysely';
import type { FlowTables, RunMessagesTable, RunsTable } from '../database/tables.ts';
import { runEnded, runUnknown } from '../errors.ts';
import { addCounts } from '../statistics/add-counts.ts';
import { countRuns } from '../statistics/count-runs.ts';

/** What to list of a merchant's runs. */
export interface RunFilter {
  flowId?: string | undefined;
  contactId?: string | undefined;
  status?: RunsTable['status'] | undefined;
  /** Ids below this one, newest first. */
  before?: string | undefined;
  limit: number;
}

/** One input of a run and what it did. */
export interface RecordedInput {
  number: number;
  input: RunInput;
  contact: Record<string, unknown>;
  steps: Step[];
  effects: (Effect & { id: string })[];
  atMs: number;
}

/** A run with everything that is known of it. */
export interface RecordedRun {
  run: RunsTable;
  journal: RecordedInput[];
  messages: RunMessagesTable[];
}

/** The runs, for the API. */
export interface RunStore {
  list(merchantId: string, filter: RunFilter): Promise<RunsTable[]>;
  /** @throws RUN_UNKNOWN */
  get(merchantId: string, id: string): Promise<RecordedRun>;
  /** Ends a run that waits. @throws RUN_UNKNOWN, RUN_ENDED */
  cancel(merchantId: string, id: string, subject: string): Promise<RunsTable>;
  /** Whether a run is at this very wait. */
  isWaiting(id: string, waitId: string): Promise<boolean>;
  /** Runs that wait now. */
  countWaiting(): Promise<number>;
}

/** Makes the store of runs. */
export function createRunStore(database: Database<FlowTables>): RunStore {
  const { db, dialect } = database;

  async function find(merchantId: string, id: string): Promise<RunsTable> {
    const run = await db
      .selectFrom('runs')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!run) throw runUnknown('no run has this id', { details: { id } });
    return run;
  }

  return {
    list(merchantId, { flowId, contactId, status, before, limit }) {
      // Of one contact: +, so that SQLite looks by the contact, instead of through all runs of the merchant in their order.
      const ofMerchant =
        contactId === undefined
          ? sql<boolean>`merchantId = ${merchantId}`
          : sql<boolean>`+merchantId = ${merchantId}`;
      let query = db.selectFrom('runs').selectAll().where(ofMerchant);
      if (flowId !== undefined) query = query.where('flowId', '=', flowId);
      if (contactId !== undefined) query = query.where('contactId', '=', contactId);
      if (status !== undefined) query = query.where('status', '=', status);
      if (before !== undefined) query = query.where('id', '<', before);
      return query.orderBy('id', 'desc').limit(limit).execute();
    },
    async get(merchantId, id) {
      const run = await find(merchantId, id);
      const journal = await db
        .selectFrom('runJournal')
        .selectAll()
        .where('runId', '=', id)
        .orderBy('number')
        .execute();
      const messages = await db.selectFrom('runMessages').selectAll().where('runId', '=', id).execute();
      return {
        run,
        journal: journal.map((row) => ({
          number: row.number,
          input: JSON.parse(row.input),
          contact: JSON.parse(row.contact),
          steps: JSON.parse(row.steps),
          effects: JSON.parse(row.effects),
          atMs: row.atMs,
        })),
        messages,
      };
    },
    cancel: (merchantId, id, subject) =>
      database.transaction(async (trx) => {
        const before = await trx
          .selectFrom('runs')
          .selectAll()
          .where('id', '=', id)
          .where('merchantId', '=', merchantId)
          .$if(dialect === 'mysql', (query) => query.forUpdate())
          .executeTakeFirst();
        if (!before) throw runUnknown('no run has this id', { details: { id } });
        const { status } = before;
        if (status !== 'waiting') throw runEnded(`the run is ${status}`, { details: { status } });
        const now = Date.now();
        const end = {
          status: 'cancelled' as const,
          reasonCode: 'CANCELLED',
          reason: `cancelled by ${subject}`.slice(0, 1000),
          waitId: null,
          waitKind: null,
          dueAtMs: null,
          updatedAtMs: now,
        };
        await trx.updateTable('runs').set(end).where('id', '=', id).execute();
        const after = { ...before, ...end };
        await addCounts(trx, dialect, countRuns([{ before, after }]), now);
        return after;
      }),
    async isWaiting(id, waitId) {
      const run = await db
        .selectFrom('runs')
        .select('id')
        .where('id', '=', id)
        .where('waitId', '=', waitId)
        .where('status', '=', 'waiting')
        .executeTakeFirst();
      return run !== undefined;
    },
    async countWaiting() {
      const { count } = await db
        .selectFrom('runs')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('status', '=', 'waiting')
        .executeTakeFirstOrThrow();
      return Number(count);
    },
  };
}
