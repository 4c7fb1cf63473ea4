import { type DialectName, insertIgnore, type Transaction } from '@switchyard/database';
import { toJobId } from '@switchyard/jobs';
import type { ConversationsTable, FlowTables, RunsTable } from '../database/tables.ts';
import type { ContactSnapshot } from '../runs/effect-jobs.ts';
import { type ContactKey, toInboxRow } from './create-inbox.ts';
import { emptyConversation } from './empty-conversation.ts';
import { type Merge, redirect } from './merges.ts';
import type { Books } from './open-books.ts';
import type { SendQueue } from './send-order.ts';
import { continueHistory, type SessionMessage } from './session.ts';

/**
 * Gives the contact that stays all that the merged one had: runs with their journals, what its inbox holds, what waits to be sent, the
 * session, and who answers. What is left of the merged one leads later inputs to the other. Both leases must be held.
 *
 * Where both have a run of the same group, or both wait for an answer in the same flow, the one that moved last goes on, and the other
 * is cancelled (`MERGED`). Other open questions stay: the newest is answered first, as always.
 *
 * @param books opened for both. @returns how many runs were cancelled.
 */
export async function mergeConversations(
  trx: Transaction<FlowTables>,
  dialect: DialectName,
  books: Books,
  to: ContactKey,
  merge: Merge,
  nowMs: number,
): Promise<number> {
  const { merged } = merge;
  const own = books.conversation(to);
  const theirs = books.conversation(merged);
  const cancelled = adoptRuns(books, to, merge, nowMs);
  await trx
    .updateTable('runs')
    .set({ contactId: to.contactId })
    .where('merchantId', '=', merged.merchantId)
    .where('contactId', '=', merged.contactId)
    .where('status', '!=', 'waiting')
    .execute();
  const moved = await moveInbox(trx, to, merge);
  if ((isPerson(own, nowMs) || isPerson(theirs, nowMs)) && merge.handler === 'automation')
    await letAutomationBack(trx, dialect, to, merged);
  books.saveConversation({
    ...mergedConversation(to, own, theirs, nowMs),
    mergedIntoId: moved > 0 ? to.contactId : (own?.mergedIntoId ?? null),
  });
  const left = emptyConversation(merged, nowMs);
  const { lastSequence, sessionUpdatedAtMs } = theirs ?? left;
  books.saveConversation({ ...left, lastSequence, sessionUpdatedAtMs, mergedIntoId: to.contactId });
  return cancelled;
}

/** What the merged one has not been told yet, the other is told; of the person it is known what is known of both. */
async function moveInbox(
  trx: Transaction<FlowTables>,
  to: ContactKey,
  { merged, contact }: Merge,
): Promise<number> {
  const rows = await trx
    .selectFrom('inbox')
    .selectAll()
    .where('merchantId', '=', merged.merchantId)
    .where('contactId', '=', merged.contactId)
    .execute();
  for (const row of rows) {
    const { id, payload, ...columns } = redirect(row, to);
    const told = JSON.parse(payload) as { contact?: ContactSnapshot };
    await trx
      .updateTable('inbox')
      .set({ ...columns, payload: JSON.stringify(told.contact ? { ...told, contact } : told) })
      .where('id', '=', id)
      .execute();
  }
  return rows.length;
}

/** One of the two was a person's, and together they are not: what was held goes on, as when a person lets go. */
async function letAutomationBack(
  trx: Transaction<FlowTables>,
  dialect: DialectName,
  to: ContactKey,
  merged: ContactKey,
): Promise<void> {
  const changeId = toJobId('merged', merged.contactId);
  const payload = { ...to, changeId, handler: 'automation' as const };
  const row = toInboxRow('handover', to, { key: changeId, sequence: 0, payload });
  await insertIgnore(trx, dialect, 'inbox', [row], ['id']);
}

function adoptRuns(books: Books, to: ContactKey, { merged, contact }: Merge, nowMs: number): number {
  const runs = [...books.waitingRuns(to), ...books.waitingRuns(merged)].sort(
    (a, b) => b.updatedAtMs - a.updatedAtMs || (a.id < b.id ? 1 : -1),
  );
  const kept: RunsTable[] = [];
  let cancelled = 0;
  for (const run of runs) {
    const isOwn = run.contactId === to.contactId;
    const newer = kept.find(
      (each) => (each.contactId === to.contactId) !== isOwn && excludesEachOther(each, run),
    );
    kept.push(run);
    const moved = isOwn ? run : { ...run, contactId: to.contactId, contact: JSON.stringify(contact) };
    if (newer) {
      cancelled += 1;
      books.saveRun({
        ...moved,
        status: 'cancelled',
        reasonCode: 'MERGED',
        reason: `the contact was merged with ${isOwn ? merged.contactId : to.contactId}, whose run ${newer.id} is newer`,
        waitId: null,
        waitKind: null,
        dueAtMs: null,
        heldInput: null,
        updatedAtMs: nowMs,
      });
    } else if (!isOwn) books.saveRun(moved);
  }
  return cancelled;
}

function excludesEachOther(a: RunsTable, b: RunsTable): boolean {
  if (a.exclusionGroup !== null && a.exclusionGroup === b.exclusionGroup) return true;
  return a.flowId === b.flowId && isAsking(a) && isAsking(b);
}

const isAsking = ({ waitKind }: RunsTable) => waitKind === 'answer' || waitKind === 'gather';

const isPerson = (conversation: ConversationsTable | undefined, nowMs: number) =>
  conversation?.handler === 'person' &&
  (conversation.handlerUntilMs === null || conversation.handlerUntilMs > nowMs);

function mergedConversation(
  to: ContactKey,
  own: ConversationsTable | undefined,
  theirs: ConversationsTable | undefined,
  nowMs: number,
): ConversationsTable {
  const base = own ?? emptyConversation(to, nowMs);
  if (!theirs) return base;
  const [older, newer] =
    base.sessionUpdatedAtMs <= theirs.sessionUpdatedAtMs ? [base, theirs] : [theirs, base];
  const said = JSON.parse(newer.session) as SessionMessage[];
  const history = { messages: older.session, updatedAtMs: older.sessionUpdatedAtMs };
  const holder = [base, theirs]
    .filter((each) => isPerson(each, nowMs))
    // Whoever has it for longer.
    .sort((a, b) => (b.handlerUntilMs ?? Infinity) - (a.handlerUntilMs ?? Infinity))[0];
  const busy = base.busyRunId === null || (base.busyUntilMs ?? 0) < (theirs.busyUntilMs ?? 0) ? theirs : base;
  return {
    ...base,
    session: JSON.stringify(continueHistory(history, said, newer.sessionUpdatedAtMs)),
    sessionUpdatedAtMs: newer.sessionUpdatedAtMs,
    ...mergedSends(to, base, theirs),
    handler: holder ? 'person' : null,
    handlerUntilMs: holder?.handlerUntilMs ?? null,
    busyRunId: busy.busyRunId,
    busyUntilMs: busy.busyUntilMs,
  };
}

/** What waits to be sent to either: one line, that of the one that stays first. */
function mergedSends(to: ContactKey, own: ConversationsTable, theirs: ConversationsTable) {
  const queues = [own, theirs].flatMap(({ sendQueue }) =>
    sendQueue === null ? [] : [JSON.parse(sendQueue) as SendQueue],
  );
  const [first] = queues;
  if (!first) return { sendQueue: null, sendQueueDueAtMs: null };
  const waiting = queues
    .flatMap((queue) => queue.waiting)
    .map((request) => ({ ...request, contactId: to.contactId }));
  return {
    sendQueue: JSON.stringify({ inFlight: first.inFlight, waiting } satisfies SendQueue),
    sendQueueDueAtMs: own.sendQueueDueAtMs ?? theirs.sendQueueDueAtMs,
  };
}
