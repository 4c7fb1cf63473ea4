import type { Database, DialectName, Transaction } from '@switchyard/database';
import { type JobPayload, type JobToAdd, toJobId } from '@switchyard/jobs';
import type { Outbox, ProcessedJobs } from '@switchyard/outbox';
import type { ConversationsTable, FlowTables } from '../database/tables.ts';
import { sendJob } from '../runs/effect-jobs.ts';
import type { ContactKey } from './create-inbox.ts';
import { survivorOf } from './merges.ts';
import { endSend, type SendQueue, type SendStep, sendNext } from './send-order.ts';

/** A contact's conversation, kept for this transaction. */
async function lockConversation(
  trx: Transaction<FlowTables>,
  dialect: DialectName,
  { merchantId, contactId }: ContactKey,
): Promise<ConversationsTable | undefined> {
  return trx
    .selectFrom('conversations')
    .selectAll()
    .where('merchantId', '=', merchantId)
    .where('contactId', '=', contactId)
    .$if(dialect === 'mysql', (query) => query.forUpdate())
    .executeTakeFirst();
}

/** Lets messages go that wait for the one before them. */
export interface SendRelease {
  /**
   * Writes down how a message ended, and sends the next. Twice is harmless.
   *
   * @returns whose it was; undefined: no such run is kept.
   */
  recordOutcome(outcome: JobPayload<'flows', 'record-message-outcome'>): Promise<ContactKey | undefined>;
  /** Sends what has waited too long for a word of the message before it. @returns how many. */
  releaseOverdue(): Promise<number>;
}

const OVERDUE_BATCH = 100;

/** Makes {@link SendRelease}. */
export function createSendRelease(deps: {
  database: Database<FlowTables>;
  outbox: Outbox<FlowTables>;
  processedJobs: ProcessedJobs<FlowTables>;
  sendOrderWaitMs: number;
}): SendRelease {
  const { database, outbox, processedJobs, sendOrderWaitMs } = deps;

  async function advance(
    trx: Transaction<FlowTables>,
    enqueue: (job: JobToAdd) => void,
    contact: ContactKey,
    decide: (queue: SendQueue | null, dueAtMs: number | null) => SendStep | undefined,
  ): Promise<boolean> {
    const row = await lockConversation(trx, database.dialect, contact);
    const survivor = survivorOf(row);
    // What waited to be sent went along with it.
    if (survivor) return advance(trx, enqueue, survivor, decide);
    const queue = row?.sendQueue ? (JSON.parse(row.sendQueue) as SendQueue) : null;
    const step = decide(queue, row?.sendQueueDueAtMs ?? null);
    if (!step) return false;
    if (step.send) enqueue(sendJob(step.send));
    await trx
      .updateTable('conversations')
      .set({
        sendQueue: step.queue === null ? null : JSON.stringify(step.queue),
        sendQueueDueAtMs: step.queue === null ? null : Date.now() + sendOrderWaitMs,
      })
      .where('merchantId', '=', contact.merchantId)
      .where('contactId', '=', contact.contactId)
      .execute();
    return true;
  }

  return {
    recordOutcome: ({ messageId, runId, stepId, outcome, reason, decidedAtMs }) =>
      outbox.transaction(async (trx, enqueue) => {
        const isFirst = await processedJobs.firstTime(trx, toJobId('outcome', messageId, outcome));
        const run = await trx
          .selectFrom('runs')
          .select(['merchantId', 'contactId'])
          .where('id', '=', runId)
          .executeTakeFirst();
        if (!run || !isFirst) return run;
        await advance(trx, enqueue, run, (queue) => endSend(queue, messageId));
        const row = { messageId, runId, stepId, outcome, reason: reason ?? null, decidedAtMs };
        const known = await trx
          .selectFrom('runMessages')
          .select('decidedAtMs')
          .where('messageId', '=', messageId)
          .executeTakeFirst();
        if (!known) await trx.insertInto('runMessages').values(row).execute();
        // Accepted first, failed later: the later word counts.
        else if (known.decidedAtMs <= decidedAtMs)
          await trx.updateTable('runMessages').set(row).where('messageId', '=', messageId).execute();
        return run;
      }),
    async releaseOverdue() {
      const overdue = await database.db
        .selectFrom('conversations')
        .select(['merchantId', 'contactId'])
        .where('sendQueueDueAtMs', '<=', Date.now())
        .orderBy('sendQueueDueAtMs')
        .limit(OVERDUE_BATCH)
        .execute();
      let released = 0;
      for (const contact of overdue) {
        const isReleased = await outbox.transaction((trx, enqueue) =>
          advance(trx, enqueue, contact, (queue, dueAtMs) =>
            // Another replica may have been faster.
            queue && dueAtMs !== null && dueAtMs <= Date.now() ? sendNext(queue.waiting) : undefined,
          ),
        );
        if (isReleased) released += 1;
      }
      return released;
    },
  };
}
