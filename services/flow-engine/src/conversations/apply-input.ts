import { type DialectName, type Lease, type Leases, leaseLost, type Transaction } from '@switchyard/database';
import type { PublishedFlow } from '@switchyard/flows';
import type { JobToAdd } from '@switchyard/jobs';
import type { Outbox } from '@switchyard/outbox';
import type { FlowTables, InboxTable } from '../database/tables.ts';
import type { FlowCache } from '../definitions/create-flow-cache.ts';
import { effectJobs, sendJob, sendRequests } from '../runs/effect-jobs.ts';
import { endJobs } from '../runs/end-jobs.ts';
import {
  busyAfter,
  flowEventsOf,
  handlerAfter,
  isBusy,
  repliesOf,
  runsOf,
  statusAfter,
} from './after-input.ts';
import type { AppliedInput } from './applied-input.ts';
import { contactName, type Inbox, leaseName } from './create-inbox.ts';
import { mergeConversations } from './merge-conversations.ts';
import { claimMerged, mergeOf, redirect, survivorOf } from './merges.ts';
import { type Books, openBooks } from './open-books.ts';
import { queueSends, type SendQueue } from './send-order.ts';
import { continueHistory, sessionKey } from './session.ts';
import type { TakeInput } from './take-input.ts';

/** Applies inputs of a contact whose lease is held: each with everything that follows from it in one transaction, or nothing. */
export interface ApplyInput {
  /**
   * Applies an input that is in the inbox.
   *
   * @param options.isLast lets go of the lease in the same transaction, and looks once more.
   * @throws LEASE_LOST
   */
  fromInbox(lease: Lease, row: InboxTable, options: { isLast: boolean }): Promise<AppliedInput>;
  /**
   * Applies inputs that have just come, of different contacts, in one transaction. One out of its turn is only
   * kept in the inbox.
   *
   * @returns what became of each, by the input's id; a contact that is another process' at this moment has none.
   * @throws what any of them throws: nothing is written then.
   */
  together(inputs: readonly FreshInput[]): Promise<Map<string, AppliedInput>>;
}

/** An input that has just come. */
export interface FreshInput {
  row: InboxTable;
  /** Runs something on behalf of the job that brought it, so that what follows has its correlation id. */
  inContext: (work: () => void) => void;
}

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

/** Makes {@link ApplyInput}. */
export function createApplyInput(parts: ApplyInputParts): ApplyInput {
  const { outbox, dialect, leases, flows, inbox, takeInput, gapWaitMs, sendOrderWaitMs } = parts;

  /** Takes the input and writes what follows. @returns all but what concerns the lease. */
  async function applyWithin(
    trx: Transaction<FlowTables>,
    enqueue: (job: JobToAdd) => void,
    row: InboxTable,
    books: Books,
    published: readonly PublishedFlow[],
    /** A contact was merged into this one before: so many runs were cancelled. */
    merged?: number,
  ): Promise<Omit<AppliedInput, 'isReleased' | 'hasMore'>> {
    const nowMs = Date.now();
    const conversation = books.conversation(row);
    const last = conversation?.lastSequence ?? 0;
    const taken = await takeInput({ trx, books, published, nowMs }, row);
    const sends = taken.advanced.flatMap(({ run, contact, advance, watched }) =>
      sendRequests(run, contact, advance.effects, watched),
    );
    const before = conversation?.sendQueue ?? null;
    const parsed = before === null ? null : (JSON.parse(before) as SendQueue);
    // Who wants no more messages is spared those that wait, too.
    const { send, queue } = queueSends(taken.outcome === 'opted-out' ? null : parsed, sends);
    if (send) enqueue(sendJob(send, taken.isBackground));
    for (const each of taken.advanced) {
      for (const job of effectJobs(each.run, each.advance.effects, nowMs)) enqueue(job);
      for (const job of endJobs(each, published, nowMs)) enqueue(job);
    }
    const lastSequence = Math.max(last, row.sequence);
    const said = [...taken.said, ...repliesOf(taken)];
    const history = conversation && {
      messages: conversation.session,
      updatedAtMs: conversation.sessionUpdatedAtMs,
    };
    const messages = continueHistory(history, said, nowMs);
    const handler = handlerAfter(conversation, taken);
    books.saveConversation({
      merchantId: row.merchantId,
      contactId: row.contactId,
      lastSequence,
      session: JSON.stringify(messages),
      sessionUpdatedAtMs: said.length > 0 || !conversation ? nowMs : conversation.sessionUpdatedAtMs,
      sendQueue: queue === null ? null : JSON.stringify(queue),
      sendQueueDueAtMs: queue === null ? null : (conversation?.sendQueueDueAtMs ?? nowMs + sendOrderWaitMs),
      ...handler,
      ...busyAfter(conversation, taken),
      // Until what came with a merge is applied, nothing takes the short cut past it.
      mergedIntoId: row.sequence < 0 || merged !== undefined ? (conversation?.mergedIntoId ?? null) : null,
    });
    return {
      outcome: taken.outcome,
      isLate: row.sequence > 0 && row.sequence <= last,
      missing: Math.max(0, row.sequence - last - 1),
      byFlow: flowEventsOf(taken),
      runs: [...runsOf(taken), ...Array<'cancelled'>(merged ?? 0).fill('cancelled')],
      ...(taken.contact && (said.length > 0 || merged !== undefined)
        ? {
            session: {
              key: sessionKey(row.merchantId, taken.contact),
              session: { status: statusAfter(books, row, taken, nowMs), messages, updatedAt: nowMs },
            },
          }
        : {}),
    };
  }

  /** Locks the lease's row: whoever wants the contact waits for the transaction, and then gets it or is seen by its last look. */
  async function letGo(trx: Transaction<FlowTables>, lease: Lease): Promise<void> {
    if (!(await leases.release(lease, trx))) throw leaseLost('the lease is lost');
  }

  async function lookAgain(
    trx: Transaction<FlowTables>,
    { id }: InboxTable,
    lookAtMs: number,
  ): Promise<void> {
    await trx.updateTable('inbox').set({ lookAtMs }).where('id', '=', id).execute();
  }

  const notYet = { isLate: false, missing: 0, isReleased: true, runs: [] };

  return {
    async fromInbox(lease, row, { isLast }) {
      // Before the transaction: it may ask the database, and usually needs not.
      const published = await flows.published(row.merchantId);
      const merge = mergeOf(row);
      // What comes with a merge goes before what is read already, so the rest is read anew.
      const isReleased = isLast || merge !== undefined;
      return outbox.transaction(async (trx, enqueue): Promise<AppliedInput> => {
        if (isReleased) await letGo(trx, lease);
        else await leases.check(trx, lease);
        const waitUntilMs = row.insertedAtMs + gapWaitMs;
        const mergeAtMs =
          merge && (await claimMerged(trx, leases, merge, { nowMs: Date.now(), waitUntilMs }));
        const books = await openBooks(trx, dialect, merge ? [row, merge.merged] : [row]);
        const survivor = survivorOf(books.conversation(row));
        if (survivor) {
          const { id, ...moved } = redirect(row, survivor);
          await trx.updateTable('inbox').set(moved).where('id', '=', id).execute();
          const hasMore = isReleased && (await inbox.hasUpTo(trx, row));
          return { ...notYet, outcome: 'moved', isReleased, hasMore, movedTo: survivor };
        }
        const last = books.conversation(row)?.lastSequence ?? 0;
        const missing = Math.max(0, row.sequence - last - 1);
        if (missing > 0 && Date.now() < waitUntilMs) {
          if (!isReleased) await letGo(trx, lease);
          await lookAgain(trx, row, waitUntilMs);
          return { ...notYet, outcome: 'gap', missing, hasMore: await inbox.hasUpTo(trx, row, last + 1) };
        }
        const busyUntilMs = isBusy(books, row, Date.now());
        if (busyUntilMs !== undefined) {
          if (!isReleased) await letGo(trx, lease);
          await inbox.putOff(trx, row, busyUntilMs);
          return { ...notYet, outcome: 'busy', hasMore: await inbox.hasUpTo(trx, row, 0) };
        }
        if (mergeAtMs !== undefined) {
          await lookAgain(trx, row, mergeAtMs);
          return { ...notYet, outcome: 'merging', hasMore: await inbox.hasUpTo(trx, row, last) };
        }
        const merged = merge && (await mergeConversations(trx, dialect, books, row, merge, Date.now()));
        const applied = await applyWithin(trx, enqueue, row, books, published, merged);
        await books.write();
        await trx.deleteFrom('inbox').where('id', '=', row.id).execute();
        const next = Math.max(last, row.sequence) + 1;
        return { ...applied, isReleased, hasMore: isReleased && (await inbox.hasUpTo(trx, row, next)) };
      });
    },
    async together(inputs) {
      const published = new Map<string, readonly PublishedFlow[]>();
      for (const { row } of inputs)
        if (!published.has(row.merchantId))
          published.set(row.merchantId, await flows.published(row.merchantId));
      return outbox.transaction(async (trx, enqueue) => {
        const results = new Map<string, AppliedInput>();
        const free = await leases.claim(
          trx,
          inputs.map(({ row }) => leaseName(row)),
        );
        const mine = inputs.filter(({ row }) => free.has(leaseName(row)));
        if (mine.length === 0) return results;
        const rows = mine.map(({ row }) => row);
        const fresh = await inbox.firstOf(trx, rows);
        const books = await openBooks(trx, dialect, rows);
        for (const { row, inContext } of mine) {
          const next = (books.conversation(row)?.lastSequence ?? 0) + 1;
          const survivor = survivorOf(books.conversation(row));
          if (!fresh.has(row.id)) {
            results.set(row.id, { ...notYet, outcome: 'repeated', hasMore: true });
          } else if (survivor) {
            await trx.insertInto('inbox').values(redirect(row, survivor)).execute();
            results.set(row.id, { ...notYet, outcome: 'moved', hasMore: true, movedTo: survivor });
          } else if (
            // Two contacts are at stake.
            mergeOf(row) !== undefined ||
            books.conversation(row)?.mergedIntoId != null ||
            (row.sequence !== 0 && row.sequence !== next) ||
            isBusy(books, row, Date.now()) !== undefined
          ) {
            await trx.insertInto('inbox').values(row).execute();
            results.set(row.id, { ...notYet, outcome: 'kept', hasMore: true });
          } else {
            const jobs = (job: JobToAdd) => inContext(() => enqueue(job));
            const applied = await applyWithin(trx, jobs, row, books, published.get(row.merchantId)!);
            results.set(row.id, { ...applied, isReleased: true, hasMore: false });
          }
        }
        await books.write();
        // The leases are locked: whoever comes now waits for this transaction, so this look misses nothing.
        const left = await inbox.lowest(trx, rows);
        for (const row of rows) {
          const result = results.get(row.id)!;
          const lowest = left.get(contactName(row));
          if (result.outcome === 'kept' || result.outcome === 'moved') continue;
          const following = (books.conversation(row)?.lastSequence ?? 0) + 1;
          result.hasMore = lowest !== undefined && (result.outcome === 'repeated' || lowest <= following);
        }
        return results;
      });
    },
  };
}
