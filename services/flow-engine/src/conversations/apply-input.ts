import { type DialectName, type Lease, type Leases, leaseLost, type Transaction } from '@switchyard/database';
import type { Outbox } from '@switchyard/outbox';
import type { ConversationsTable, FlowTables, InboxTable } from '../database/tables.ts';
import type { FlowCache } from '../definitions/create-flow-cache.ts';
import { contactJobs, endedJob, sendJob, sendRequests } from '../runs/effect-jobs.ts';
import type { ContactKey, Inbox } from './create-inbox.ts';
import { queueSends, type SendQueue } from './send-order.ts';
import { continueHistory, type Session, type SessionMessage, sessionKey } from './session.ts';
import type { InputOutcome, TakeInput, TakenInput } from './take-input.ts';

/** What one transaction did. */
export interface AppliedInput {
  /** `gap`: nothing yet, an event before it is missing. */
  outcome: InputOutcome | 'gap';
  /** The event's place was passed before it came. */
  isLate: boolean;
  /** Events before it that are given up waiting for. */
  missing: number;
  /** The lease was let go of with it. */
  isReleased: boolean;
  /** There is more that can be applied; meaningful when the lease was let go of. */
  hasMore: boolean;
  /** How runs began and ended. */
  runs: ('started' | 'finished' | 'failed' | 'cancelled')[];
  session?: { key: string; session: Session };
}

/**
 * Applies one input of a contact whose lease is held, and everything that follows from it, in one transaction, or nothing.
 *
 * @param options.isLast lets go of the lease in the same transaction, and looks once more.
 * @throws LEASE_LOST
 */
export type ApplyInput = (
  lease: Lease,
  row: InboxTable,
  options: { isLast: boolean },
) => Promise<AppliedInput>;

/** What {@link createApplyInput} needs. */
export interface ApplyInputParts {
  outbox: Outbox<FlowTables>;
  dialect: DialectName;
  leases: Leases;
  flows: FlowCache;
  inbox: Inbox;
  takeInput: TakeInput;
  gapWaitMs: number;
  sendOrderWaitMs: number;
}

/** A contact's conversation, kept for this transaction. */
export async function lockConversation(
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

/** Makes {@link ApplyInput}. */
export function createApplyInput(parts: ApplyInputParts): ApplyInput {
  const { outbox, dialect, leases, flows, inbox, takeInput, gapWaitMs, sendOrderWaitMs } = parts;

  return async (lease, row, { isLast }) => {
    // Before the transaction: it may ask the database, and usually needs not.
    const published = row.kind === 'timer' ? [] : await flows.published(row.merchantId);
    return outbox.transaction(async (trx, enqueue): Promise<AppliedInput> => {
      // Locks the lease's row either way: whoever wants the contact waits for this transaction, and then gets it or finds us in it.
      if (!isLast) await leases.check(trx, lease);
      else if (!(await leases.release(lease, trx))) throw leaseLost('the lease is lost');

      const nowMs = Date.now();
      const conversation = await lockConversation(trx, dialect, row);
      const last = conversation?.lastSequence ?? 0;
      const missing = Math.max(0, row.sequence - last - 1);
      if (missing > 0 && nowMs < row.insertedAtMs + gapWaitMs) {
        if (!isLast && !(await leases.release(lease, trx))) throw leaseLost('the lease is lost');
        await trx
          .updateTable('inbox')
          .set({ lookAtMs: row.insertedAtMs + gapWaitMs })
          .where('id', '=', row.id)
          .execute();
        const hasMore = await inbox.hasUpTo(trx, row, last + 1);
        return { outcome: 'gap', isLate: false, missing, isReleased: true, hasMore, runs: [] };
      }

      const taken = await takeInput(trx, row, published, nowMs);
      const { advanced } = taken;
      const sends = advanced ? sendRequests(advanced.run, advanced.contact, advanced.advance.effects) : [];
      const before = conversation?.sendQueue ?? null;
      const parsed = before === null ? null : (JSON.parse(before) as SendQueue);
      // Who wants no more messages is spared those that wait, too.
      const { send, queue } = queueSends(taken.outcome === 'opted-out' ? null : parsed, sends);
      if (send) enqueue(sendJob(send));
      if (advanced) {
        for (const job of contactJobs(advanced.run, advanced.advance.effects)) enqueue(job);
        if (advanced.advance.state.status !== 'waiting')
          enqueue(endedJob(advanced.run, advanced.definition, advanced.advance.state, nowMs));
      }
      const lastSequence = Math.max(last, row.sequence);
      const said = [...taken.said, ...repliesOf(taken)];
      const history = conversation && {
        messages: conversation.session,
        updatedAtMs: conversation.sessionUpdatedAtMs,
      };
      const messages = continueHistory(history, said, nowMs);
      const change = {
        lastSequence,
        session: JSON.stringify(messages),
        sessionUpdatedAtMs: nowMs,
        sendQueue: queue === null ? null : JSON.stringify(queue),
        sendQueueDueAtMs: queue === null ? null : (conversation?.sendQueueDueAtMs ?? nowMs + sendOrderWaitMs),
      };
      // The lease makes this the only writer of new rows.
      if (conversation)
        await trx
          .updateTable('conversations')
          .set(change)
          .where('merchantId', '=', row.merchantId)
          .where('contactId', '=', row.contactId)
          .execute();
      else
        await trx
          .insertInto('conversations')
          .values({ merchantId: row.merchantId, contactId: row.contactId, ...change })
          .execute();
      await trx.deleteFrom('inbox').where('id', '=', row.id).execute();
      return {
        outcome: taken.outcome,
        isLate: row.sequence > 0 && row.sequence <= last,
        missing,
        isReleased: isLast,
        hasMore: isLast && (await inbox.hasUpTo(trx, row, lastSequence + 1)),
        runs: runsOf(taken),
        ...(taken.contact && said.length > 0
          ? {
              session: {
                key: sessionKey(row.merchantId, taken.contact),
                session: { status: statusOf(taken), messages, updatedAt: nowMs },
              },
            }
          : {}),
      };
    });
  };
}

function repliesOf({ advanced }: TakenInput): SessionMessage[] {
  return (advanced?.advance.effects ?? [])
    .filter((effect) => effect.kind === 'send')
    .map(({ text }) => ({ role: 'assistant', content: text }));
}

function statusOf({ outcome, advanced }: TakenInput): Session['status'] {
  if (outcome === 'opted-out') return 'opted-out';
  return advanced?.advance.state.status === 'waiting' ? 'active' : 'idle';
}

function runsOf({ outcome, advanced, cancelled }: TakenInput): AppliedInput['runs'] {
  const runs: AppliedInput['runs'] = Array(cancelled).fill('cancelled');
  if (outcome === 'started') runs.push('started');
  if (advanced && advanced.advance.state.status !== 'waiting') runs.push(advanced.advance.state.status);
  return runs;
}
