import type { Database } from '@switchyard/database';
import { createId } from '@switchyard/runtime';
import type { FastifyRequest } from 'fastify';
import type { BoardActionsTable, MetricsExporterTables } from '../database/tables.ts';

/** Records what operators do on the dashboard. */
export interface BoardAudit {
  /** Writes the action down before it is done. @throws what the database throws: nothing is done unseen. */
  begin(request: FastifyRequest, operator: string): Promise<string>;
  /** Adds how it ended. */
  end(id: string, status: number): Promise<void>;
  /** Newest first. */
  list(page: { before: string | undefined; limit: number }): Promise<BoardActionsTable[]>;
  /** Removes what is older than 400 days, a batch at a time. */
  purge(): Promise<void>;
}

const retentionMs = 400 * 24 * 3600 * 1000;
const purgeBatch = 1000;
const bodyCharactersMost = 500;
/** Actions whose body holds only numbers; others' bodies hold data of jobs. */
const bodyRecorded = /\/(concurrency|rate-limit|delay|priority)$/;

/** Keeps the operators' actions in the database. Ids sort by time. */
export function createBoardAudit(database: Database<MetricsExporterTables>): BoardAudit {
  const { db } = database;
  return {
    async begin(request, operator) {
      const id = createId('act');
      const action = (request.routeOptions.url ?? '').slice(0, 191);
      const { queueName, jobId, ...rest } = request.params as Record<string, string>;
      const body = bodyRecorded.test(action) ? JSON.stringify(request.body ?? null) : undefined;
      const params = body === undefined ? rest : { ...rest, body: body.slice(0, bodyCharactersMost) };
      await db
        .insertInto('boardActions')
        .values({
          id,
          operator: operator.slice(0, 191),
          method: request.method,
          action,
          queue: queueName?.slice(0, 191) ?? null,
          jobId: jobId?.slice(0, 191) ?? null,
          params: JSON.stringify(params),
          status: null,
          requestId: request.id,
          correlationId: request.trace.correlationId,
          address: request.ip.slice(0, 64),
          atMs: Date.now(),
        })
        .execute();
      return id;
    },
    async end(id, status) {
      await db.updateTable('boardActions').set({ status }).where('id', '=', id).execute();
    },
    async list({ before, limit }) {
      let query = db.selectFrom('boardActions').selectAll();
      if (before !== undefined) query = query.where('id', '<', before);
      return query.orderBy('id', 'desc').limit(limit).execute();
    },
    async purge() {
      const old = await db
        .selectFrom('boardActions')
        .select('id')
        .where('atMs', '<', Date.now() - retentionMs)
        .orderBy('atMs')
        .limit(purgeBatch)
        .execute();
      const ids = old.map(({ id }) => id);
      if (ids.length > 0) await db.deleteFrom('boardActions').where('id', 'in', ids).execute();
    },
  };
}
