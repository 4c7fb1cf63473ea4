import {
  type Database,
  type DialectName,
  type Lease,
  type Leases,
  type Transaction,
  upsert,
} from '@switchyard/database';
import type { FailedJobsSink } from '@switchyard/jobs';
import type { FlowTables, InboxTable } from '../database/tables.ts';
import { addCounts } from '../statistics/add-counts.ts';
import { countRuns } from '../statistics/count-runs.ts';
import type { InboxPayloads } from './create-inbox.ts';
import { emptyConversation } from './empty-conversation.ts';

const jobNames = {
  event: 'handle-event',
  start: 'start-run',
  timer: 'resume-run',
  handover: 'set-handover',
  outcome: 'record-message-outcome',
} as const;

/**
 * Takes an input that can't be applied out of the way: it is kept whole among the failed jobs, from where it can be tried again, and
 * the run that it belongs to, if there is one, fails.
 *
 * Dies in between: it is kept, and tried once more.
 */
export async function setAside(
  deps: { database: Database<FlowTables>; leases: Leases; failedJobs: FailedJobsSink },
  lease: Lease,
  row: InboxTable,
  error: Error,
): Promise<void> {
  const { database, leases, failedJobs } = deps;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'INPUT_FAILED';
  const now = Date.now();
  await failedJobs.record({
    queue: 'flows',
    name: jobNames[row.kind],
    jobId: row.id,
    data: JSON.stringify({ v: 1, payload: JSON.parse(row.payload), meta: { merchantId: row.merchantId } }),
    reason: error.message,
    code,
    attemptsMade: 1,
    failedAtMs: now,
    merchantId: row.merchantId,
  });
  await database.transaction(async (trx) => {
    await leases.check(trx, lease);
    await failRun(trx, database.dialect, row, code, error, now);
    const known = await trx
      .selectFrom('conversations')
      .select('lastSequence')
      .where('merchantId', '=', row.merchantId)
      .where('contactId', '=', row.contactId)
      .executeTakeFirst();
    await upsert(
      trx,
      database.dialect,
      'conversations',
      [
        {
          ...emptyConversation(row, now),
          lastSequence: Math.max(known?.lastSequence ?? 0, row.sequence),
        },
      ],
      ['merchantId', 'contactId'],
      ['lastSequence'],
    );
    await trx.deleteFrom('inbox').where('id', '=', row.id).execute();
    // Else a retry by hand would be taken for a repeat.
    await trx.deleteFrom('processed_jobs').where('jobId', '=', row.id).execute();
  });
}

/** The run that the input would have advanced; a start has none yet. */
async function failRun(
  trx: Transaction<FlowTables>,
  dialect: DialectName,
  row: InboxTable,
  code: string,
  error: Error,
  nowMs: number,
): Promise<void> {
  if (row.kind === 'start' || row.kind === 'handover' || row.kind === 'outcome') return;
  let query = trx
    .selectFrom('runs')
    .selectAll()
    .where('contactId', '=', row.contactId)
    .where('merchantId', '=', row.merchantId)
    .where('status', '=', 'waiting')
    .$if(dialect === 'mysql', (each) => each.forUpdate());
  if (row.kind === 'event') query = query.where('waitKind', 'in', ['answer', 'gather']);
  else query = query.where('id', '=', (JSON.parse(row.payload) as InboxPayloads['timer']).runId);
  const runs = await query.execute();
  const end = {
    status: 'failed' as const,
    reasonCode: code.slice(0, 64),
    reason: error.message.slice(0, 1000),
    waitId: null,
    waitKind: null,
    dueAtMs: null,
    updatedAtMs: nowMs,
  };
  for (const { id } of runs) await trx.updateTable('runs').set(end).where('id', '=', id).execute();
  const changes = runs.map((before) => ({ before, after: { ...before, ...end } }));
  await addCounts(trx, dialect, countRuns(changes), nowMs);
}
