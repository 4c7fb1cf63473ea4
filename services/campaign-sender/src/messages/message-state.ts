/**
 * Where a message is. `queued`, `sending` and `parked` are not final: a reconciler sees to every such row.
 * The others are, but for receipts, which only move a message up.
 */
export const messageStates = [
  'queued',
  'sending',
  'parked',
  'skipped',
  'expired',
  'accepted',
  'sent',
  'failed',
  'delivered',
  'read',
  'played',
  'received',
] as const;
export type MessageState = (typeof messageStates)[number];

/** What a receipt can say. */
export const receiptStates = ['sent', 'failed', 'delivered', 'read', 'played'] as const;
export type ReceiptState = (typeof receiptStates)[number];

/**
 * Order of all states. Receipts have the order that was promised (accepted < sent < failed < delivered < read < played) and outrank
 * what we decided without the provider: what it has seen happen, happened. `received` is an inbound message, which never changes.
 */
const ranks: Readonly<Record<MessageState, number>> = {
  queued: 0,
  sending: 1,
  parked: 2,
  skipped: 5,
  expired: 5,
  accepted: 10,
  sent: 20,
  failed: 30,
  delivered: 40,
  read: 50,
  played: 60,
  received: 100,
};

/** The states a message can be taken to its next attempt from, or is in the middle of one. */
export const openStates = ['queued', 'sending', 'parked'] as const satisfies readonly MessageState[];

/** A state's place in the order. Higher wins. */
export function rankOf(state: MessageState): number {
  return ranks[state];
}

/** Whether nothing but a receipt can change the message any more. */
export function isSettled(state: MessageState): boolean {
  return !(openStates as readonly MessageState[]).includes(state);
}

/** Whether the provider has taken the message, as far as is known. */
export function wasSent(state: MessageState): boolean {
  return state === 'accepted' || state === 'sent' || rankOf(state) >= ranks.delivered;
}

/** The state after a receipt: the receipt's where it ranks higher, otherwise the same. */
export function afterReceipt(state: MessageState, receipt: ReceiptState): MessageState {
  return ranks[receipt] > ranks[state] ? receipt : state;
}

/** Whether a word is the name of a receipt we know. */
export function isReceiptState(word: string): word is ReceiptState {
  return (receiptStates as readonly string[]).includes(word);
}
