import { insertIgnore } from '@switchyard/database';
import type { Scope, Store } from '../database/scope.ts';
import { valueByKey } from '../database/value-by-key.ts';
import { publishEvents } from '../messages/merchant-events.ts';
import type { Origin } from '../messages/message-candidate.ts';
import { type MessageState, openStates } from '../messages/message-state.ts';
import { notifyOrigin } from '../sending/notify-origin.ts';
import { judgeReceipts } from './judge-receipts.ts';
import { matchReceipts, type ReceiptBatch } from './match-receipts.ts';
import { type ReceiptFailure, reactToFailures } from './react-to-failures.ts';
import { failureCode, type Receipt } from './read-status.ts';
import { type Judged, settleCalls } from './settle-calls.ts';

/** What a batch did. */
export interface AppliedReceipts {
  /** Messages that moved. */
  moved: number;
  /** Receipts of messages that are not ours. */
  unmatched: number;
  /** Failures that were told for the first time. */
  failures: ReceiptFailure[];
}

/** Merchant's events, by the state a message has reached. */
const eventTypes: Partial<Record<MessageState, string>> = {
  sent: 'message.sent',
  failed: 'message.failed',
  delivered: 'message.delivered',
  read: 'message.read',
};

/**
 * Applies receipts: early, late, twice and in any order. Finds messages by our own id where the provider gave it back, else by
 * the provider's; moves them up; settles the calls whose end was unknown. A failure gets the reaction that its code would have got in
 * the answer: where that is to send again, the message goes back to the queue as its next attempt.
 *
 * Costs at most seven statements and the outbox, whatever the number of receipts, and two more where some have failed. The same batch
 * again changes nothing.
 */
export async function applyReceipts(store: Store, batch: ReceiptBatch): Promise<AppliedReceipts> {
  const nowMs = store.now();
  return await store.inScope(async (scope) => {
    const matched = await matchReceipts(scope, store, batch);
    const judged = [...matched.values()].map(
      (each): Judged => ({ ...each, change: judgeReceipts(each, nowMs) }),
    );
    const moved = judged.filter(({ change }) => change.after !== change.before || change.retry);
    if (moved.length > 0) await moveMessages(scope, moved, nowMs);
    if (judged.length > 0) {
      await settleCalls(scope.trx, judged, nowMs);
      await addTimeline(scope, store, judged, nowMs);
    }
    for (const each of moved) tellOrigin(scope, batch, each, nowMs);
    const failures = await reactToFailures(scope, store, batch, moved, nowMs);
    publishEvents(scope.enqueue, batch.merchantId, moved.flatMap(eventsOf));
    return {
      moved: moved.length,
      unmatched: batch.receipts.length - judged.reduce((sum, { receipts }) => sum + receipts.length, 0),
      failures,
    };
  });
}

async function moveMessages({ trx }: Scope, moved: readonly Judged[], nowMs: number): Promise<void> {
  const by = <T>(read: (each: Judged) => T) =>
    valueByKey(
      'id',
      moved.map((each) => [each.message.id, read(each)] as const),
    );
  const triesOf = ({ change }: Judged) => (change.failure && (change.retry?.isTry ?? true) ? 1 : 0);
  await trx
    .updateTable('messages')
    .set({
      state: by(({ change }) => change.after),
      failureCode: by(({ change }) => (change.retry ? null : failureCode(change.failure))),
      failureReason: by(({ change }) => (change.retry ? null : (change.failure?.detail ?? null))),
      ...(moved.some(triesOf) ? { failures: by((each) => each.message.failures + triesOf(each)) } : {}),
      nextAttemptAtMs: by(({ change }) => change.retry?.atMs ?? null),
      waitReason: null,
      updatedAtMs: nowMs,
    })
    .where(
      'id',
      'in',
      moved.map(({ message }) => message.id),
    )
    .execute();
}

async function addTimeline({ trx }: Scope, { dialect }: Store, judged: readonly Judged[], nowMs: number) {
  await insertIgnore(
    trx,
    dialect,
    'message_timeline',
    judged.flatMap(({ message, receipts }) =>
      receipts.map((receipt) => ({
        messageId: message.id,
        state: receipt.state,
        attempt: receipt.attempt,
        occurredAtMs: receipt.occurredAtMs,
        recordedAtMs: nowMs,
        cause: 'receipt',
        code: failureCode(receipt),
        detail: receipt.detail ?? null,
      })),
    ),
    ['messageId', 'state', 'attempt'],
  );
}

/** Tells the flow that asked. A message that goes out again has not ended yet. */
function tellOrigin(scope: Scope, { merchantId }: ReceiptBatch, { message, change }: Judged, nowMs: number) {
  if (change.retry) return;
  const origin = message.origin === null ? null : (JSON.parse(message.origin) as Origin);
  const target = { id: message.id, merchantId, origin };
  const wasOpen = (openStates as readonly MessageState[]).includes(change.before);
  if (change.after === 'failed')
    notifyOrigin(scope.enqueue, target, 'failed', failureCode(change.failure) ?? undefined, nowMs);
  else if (wasOpen) notifyOrigin(scope.enqueue, target, 'accepted', undefined, nowMs);
}

function eventsOf({ message, change }: Judged) {
  return change.steps.flatMap((receipt) => {
    const type = eventTypes[receipt.state];
    if (type === undefined) return [];
    return [
      {
        // A message that was sent again is told as sent again.
        id: `${message.id}_${receipt.state}${receipt.state === 'sent' && receipt.attempt > 1 ? `_${receipt.attempt}` : ''}`,
        type,
        occurredAtMs: receipt.occurredAtMs,
        data: {
          messageId: message.id,
          contactId: message.contactId,
          providerMessageId: receipt.providerMessageId,
          ...(receipt.state === 'failed'
            ? { code: failureCode(receipt), reason: receipt.detail ?? null }
            : {}),
        },
      },
    ];
  });
}

/**
 * Remembers that receipts of a number flow, by the provider's own time. Written at most once a second per number.
 *
 * @param known what the number's row said when it was last read.
 */
export async function rememberStatusTime(
  store: Store,
  senderId: string,
  known: number,
  receipts: readonly Receipt[],
) {
  const latestMs = receipts.reduce((latest, { occurredAtMs }) => Math.max(latest, occurredAtMs), 0);
  if (latestMs <= known) return;
  await store.db
    .updateTable('senders')
    .set({ lastStatusAtMs: latestMs })
    .where('id', '=', senderId)
    .where('lastStatusAtMs', '<', latestMs)
    .execute();
}
