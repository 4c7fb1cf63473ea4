import type { Scope, Store } from '../database/scope.ts';
import type { MessageState } from '../messages/message-state.ts';
import type { Receipt } from './read-status.ts';

/** A batch of receipts of one number. */
export interface ReceiptBatch {
  merchantId: string;
  sender: { id: string; wabaId: string | null };
  receipts: readonly Receipt[];
}

/** A message as receipts need it. */
export interface KnownMessage {
  id: string;
  contactId: string | null;
  state: MessageState;
  attempts: number;
  origin: string | null;
  type: string;
  content: string;
}

/** The receipts of one message. */
export interface MatchedReceipts {
  message: KnownMessage;
  receipts: Receipt[];
  /** The call they belong to. */
  attempt: number;
}

/**
 * Finds the messages of receipts, by our id or the provider's, and keeps their rows for this transaction.
 *
 * @returns by message id; receipts of messages that are not this merchant's are left out.
 */
export async function matchReceipts(
  { trx }: Scope,
  { dialect }: Store,
  { merchantId, receipts }: ReceiptBatch,
): Promise<Map<string, MatchedReceipts>> {
  const keyOf = new Map<Receipt, { messageId: string; attempt: number }>();
  for (const receipt of receipts) if (receipt.key) keyOf.set(receipt, receipt.key);
  const keyless = receipts.filter(({ key }) => !key);
  if (keyless.length > 0) {
    const found = await trx
      .selectFrom('message_attempts')
      .select(['messageId', 'attempt', 'providerMessageId'])
      .where('providerMessageId', 'in', [...new Set(keyless.map((each) => each.providerMessageId))])
      .execute();
    const byProviderId = new Map(found.map((row) => [row.providerMessageId, row]));
    for (const receipt of keyless) {
      const row = byProviderId.get(receipt.providerMessageId);
      if (row) keyOf.set(receipt, row);
    }
  }
  const matched = new Map<string, MatchedReceipts>();
  if (keyOf.size === 0) return matched;
  const query = trx
    .selectFrom('messages')
    .select(['id', 'contactId', 'state', 'attempts', 'origin', 'type', 'content'])
    .where('id', 'in', [...new Set([...keyOf.values()].map(({ messageId }) => messageId))].toSorted())
    .where('merchantId', '=', merchantId)
    .where('direction', '=', 'out')
    .orderBy('id');
  const messages = await (dialect === 'mysql' ? query.forUpdate() : query).execute();
  const known = new Map(messages.map((row) => [row.id, row]));
  for (const [receipt, { messageId, attempt }] of keyOf) {
    const message = known.get(messageId);
    // A number no call has had belongs to someone else's message of the same id.
    if (!message || attempt > message.attempts) continue;
    const entry = matched.get(messageId);
    if (entry) {
      entry.receipts.push(receipt);
      entry.attempt = Math.max(entry.attempt, attempt);
    } else matched.set(messageId, { message, receipts: [receipt], attempt });
  }
  return matched;
}
