import { afterReceipt, type MessageState, type ReceiptState } from '../messages/message-state.ts';
import type { Receipt } from './read-status.ts';

/** A message's change by the receipts of one batch. */
export interface ReceiptChange<R extends Receipt = Receipt> {
  before: MessageState;
  after: MessageState;
  /** The receipts that moved it up, in the order they did. */
  steps: R[];
  /** The error of the failure, where it ended as failed. */
  failure: R | undefined;
}

/**
 * Applies receipts to a message's state. Pure: any order and any repetition ends in the same state, the highest of all.
 *
 * Of a batch that holds several steps of one message, each is a step (merchants are told of all of them), from low to high.
 */
export function foldReceipts<R extends Receipt>(
  state: MessageState,
  receipts: readonly R[],
): ReceiptChange<R> {
  const change: ReceiptChange<R> = { before: state, after: state, steps: [], failure: undefined };
  for (const receipt of receipts.toSorted(byRank)) {
    const next = afterReceipt(change.after, receipt.state);
    if (next === change.after) continue;
    change.after = next;
    change.steps.push(receipt);
    change.failure = receipt.state === 'failed' ? receipt : undefined;
  }
  return change;
}

const order: readonly ReceiptState[] = ['sent', 'failed', 'delivered', 'read', 'played'];

function byRank(a: Receipt, b: Receipt): number {
  return order.indexOf(a.state) - order.indexOf(b.state);
}
