import { sql } from 'kysely';
import type { Executor } from '../database/scope.ts';
import type { AttemptState } from '../database/tables.ts';
import { valueByKey } from '../database/value-by-key.ts';
import type { ReceiptVerdict } from './judge-receipts.ts';
import type { MatchedReceipts } from './match-receipts.ts';
import { failureCode, type Receipt } from './read-status.ts';

/** A message's receipts and what they come to. */
export type Judged = MatchedReceipts & { change: ReceiptVerdict };

interface EndedCall {
  messageId: string;
  attempt: number;
  state: 'accepted' | 'failed';
  receipt: Receipt;
}

const unsettled: readonly AttemptState[] = ['open', 'parked', 'unknown', 'not-sent'];

/**
 * Settles the calls that receipts have come for: a receipt proves that the provider took the call, whatever we knew of its end; a failed
 * one, that it came to nothing. One statement for each of the two, unless receipts of several calls of one message come at once.
 */
export async function settleCalls(trx: Executor, judged: readonly Judged[], nowMs: number): Promise<void> {
  const ended = judged.map(({ message, receipts, change }) =>
    [...change.calls].map(([attempt, state]): EndedCall => {
      const own = receipts.filter((each) => each.attempt === attempt);
      const receipt = own.find((each) => state !== 'failed' || each.state === 'failed')!;
      return { messageId: message.id, attempt, state, receipt };
    }),
  );
  const most = Math.max(...ended.map(({ length }) => length));
  for (let round = 0; round < most; round += 1) {
    const calls = ended.flatMap((each) => each[round] ?? []);
    await settle(
      trx,
      calls.filter(({ state }) => state === 'accepted'),
      nowMs,
    );
    await settle(
      trx,
      calls.filter(({ state }) => state === 'failed'),
      nowMs,
    );
  }
}

/** @param calls of different messages, all ended in the same way. */
async function settle(trx: Executor, calls: readonly EndedCall[], nowMs: number): Promise<void> {
  const [first] = calls;
  if (!first) return;
  const isFailed = first.state === 'failed';
  const by = <T>(read: (call: EndedCall) => T) =>
    valueByKey(
      'messageId',
      calls.map((call) => [call.messageId, read(call)] as const),
    );
  await trx
    .updateTable('message_attempts')
    .set({
      state: first.state,
      // An accepted call keeps the time of its answer.
      endedAtMs: isFailed ? sql<number>`coalesce(${sql.ref('endedAtMs')}, ${nowMs})` : nowMs,
      providerMessageId: by(({ receipt }) => receipt.providerMessageId),
      ...(isFailed
        ? {
            errorCode: by(({ receipt }) => failureCode(receipt)),
            cause: by(({ receipt }) => receipt.detail ?? null),
          }
        : {}),
    })
    .where(
      'messageId',
      'in',
      calls.map(({ messageId }) => messageId),
    )
    .where(
      'attempt',
      '=',
      by(({ attempt }) => attempt),
    )
    .where('state', 'in', isFailed ? [...unsettled, 'accepted'] : unsettled)
    .execute();
}
