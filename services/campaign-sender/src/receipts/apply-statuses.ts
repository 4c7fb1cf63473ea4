import { insertIgnore } from '@switchyard/database';
import type { Scope, Store } from '../database/scope.ts';
import { valueByKey } from '../database/value-by-key.ts';
import { dropUploads, isUnusableFile } from '../media-out/drop-uploads.ts';
import { publishEvents } from '../messages/merchant-events.ts';
import type { Origin } from '../messages/message-candidate.ts';
import { type MessageState, openStates } from '../messages/message-state.ts';
import { notifyOrigin } from '../sending/notify-origin.ts';
import { ruleForCode } from '../sending/provider-errors.ts';
import { needsReaction, reactToError, templateOf } from '../sending/react-to-error.ts';
import { foldReceipts, type ReceiptChange } from './fold-receipts.ts';
import { type MatchedReceipts, matchReceipts, type ReceiptBatch } from './match-receipts.ts';
import type { Receipt } from './read-status.ts';

/** What a batch did. */
export interface AppliedReceipts {
  /** Messages that moved up. */
  moved: number;
  /** Receipts of messages that are not ours. */
  unmatched: number;
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
 * the provider's; moves them up; settles the calls whose end was unknown.
 *
 * Costs at most seven statements and the outbox, whatever the number of receipts. The same batch again changes nothing.
 */
export async function applyReceipts(store: Store, batch: ReceiptBatch): Promise<AppliedReceipts> {
  const nowMs = store.now();
  return await store.inScope(async (scope) => {
    const matched = await matchReceipts(scope, store, batch);
    const changes = [...matched.values()].map((each) => ({
      ...each,
      change: foldReceipts(each.message.state, each.receipts),
    }));
    const moved = changes.filter(({ change }) => change.after !== change.before);
    if (moved.length > 0) await moveMessages(scope, moved, nowMs);
    if (changes.length > 0) {
      await settleAttempts(scope, changes, nowMs);
      await addTimeline(scope, store, changes, nowMs);
    }
    for (const each of moved) await tellChange(scope, store, batch, each, nowMs);
    publishEvents(scope.enqueue, batch.merchantId, moved.flatMap(eventsOf));
    return {
      moved: moved.length,
      unmatched: batch.receipts.length - changes.reduce((sum, { receipts }) => sum + receipts.length, 0),
    };
  });
}

type Changed = MatchedReceipts & { change: ReceiptChange };

async function moveMessages({ trx }: Scope, moved: readonly Changed[], nowMs: number): Promise<void> {
  const by = <T>(read: (each: Changed) => T) =>
    valueByKey(
      'id',
      moved.map((each) => [each.message.id, read(each)] as const),
    );
  await trx
    .updateTable('messages')
    .set({
      state: by(({ change }) => change.after),
      providerMessageId: by(({ receipts }) => receipts[0]!.providerMessageId),
      failureCode: by(({ change }) => failureCode(change.failure)),
      failureReason: by(({ change }) => change.failure?.detail ?? null),
      nextAttemptAtMs: null,
      updatedAtMs: nowMs,
    })
    .where(
      'id',
      'in',
      moved.map(({ message }) => message.id),
    )
    .execute();
}

/** A receipt proves that the provider took the call, whatever we knew of its end. */
async function settleAttempts({ trx }: Scope, changes: readonly Changed[], nowMs: number): Promise<void> {
  const by = <T>(read: (each: Changed) => T) =>
    valueByKey(
      'messageId',
      changes.map((each) => [each.message.id, read(each)] as const),
    );
  await trx
    .updateTable('message_attempts')
    .set({
      state: 'accepted',
      endedAtMs: nowMs,
      providerMessageId: by(({ receipts }) => receipts[0]!.providerMessageId),
    })
    .where(
      'messageId',
      'in',
      changes.map(({ message }) => message.id),
    )
    .where(
      'attempt',
      '=',
      by(({ attempt }) => attempt),
    )
    .where('state', 'in', ['open', 'parked', 'unknown', 'not-sent'])
    .execute();
}

async function addTimeline({ trx }: Scope, { dialect }: Store, changes: readonly Changed[], nowMs: number) {
  await insertIgnore(
    trx,
    dialect,
    'message_timeline',
    changes.flatMap(({ message, receipts, attempt }) =>
      receipts.map((receipt) => ({
        messageId: message.id,
        state: receipt.state,
        attempt: receipt.key?.attempt ?? attempt,
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

/** Tells the flow that asked, and does what an error asks for. */
async function tellChange(
  scope: Scope,
  store: Store,
  batch: ReceiptBatch,
  each: Changed,
  nowMs: number,
): Promise<void> {
  const { message, change } = each;
  const origin = message.origin === null ? null : (JSON.parse(message.origin) as Origin);
  const target = { id: message.id, merchantId: batch.merchantId, origin };
  const wasOpen = (openStates as readonly MessageState[]).includes(change.before);
  if (change.after === 'failed')
    notifyOrigin(scope.enqueue, target, 'failed', failureCode(change.failure) ?? undefined, nowMs);
  else if (wasOpen) notifyOrigin(scope.enqueue, target, 'accepted', undefined, nowMs);
  const code = change.failure?.code;
  if (code === undefined) return;
  if (isUnusableFile(String(code)))
    await dropUploads(scope.trx, batch.sender.id, {
      type: message.type,
      content: JSON.parse(message.content) as Record<string, unknown>,
    });
  const rule = ruleForCode(code);
  if (!needsReaction(rule)) return;
  await reactToError(
    scope,
    store.dialect,
    rule,
    String(code),
    {
      merchantId: batch.merchantId,
      contactId: message.contactId,
      senderId: batch.sender.id,
      wabaId: batch.sender.wabaId,
      template: templateOf({
        type: message.type,
        content: JSON.parse(message.content) as Record<string, unknown>,
      }),
    },
    nowMs,
  );
}

function eventsOf({ message, change }: Changed) {
  return change.steps.flatMap((receipt) => {
    const type = eventTypes[receipt.state];
    if (type === undefined) return [];
    return [
      {
        id: `${message.id}_${receipt.state}`,
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

function failureCode(receipt: Receipt | undefined): string | null {
  if (receipt?.state !== 'failed') return null;
  return receipt.code === undefined ? 'UNSTATED' : String(receipt.code);
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
