import type { Scope, Store } from '../database/scope.ts';
import type { AttemptState } from '../database/tables.ts';
import { type MessageState, rankOf } from '../messages/message-state.ts';
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
  failures: number;
  origin: string | null;
  address: string;
  type: string;
  content: string;
  templateFallback: string | null;
  expiresAtMs: number | null;
}

/** A receipt and the call that it belongs to. */
export interface AttemptReceipt extends Receipt {
  attempt: number;
}

/** The receipts of one message. */
export interface MatchedReceipts {
  message: KnownMessage;
  receipts: AttemptReceipt[];
  /** The message's calls, read where what a receipt means depends on them; empty otherwise. */
  calls: ReadonlyMap<number, AttemptState>;
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
    .select([
      'id',
      'merchantId',
      'direction',
      'contactId',
      'state',
      'attempts',
      'failures',
      'origin',
      'address',
      'type',
      'content',
      'templateFallback',
      'expiresAtMs',
    ])
    .where('id', 'in', [...new Set([...keyOf.values()].map(({ messageId }) => messageId))].toSorted())
    .orderBy('id');
  const messages = await (dialect === 'mysql' ? query.forUpdate() : query).execute();
  // Whose they are is looked at here: in the statement, SQLite would look through all messages of the merchant for them.
  const known = new Map(
    messages
      .filter((row) => row.merchantId === merchantId && row.direction === 'out')
      .map((row) => [row.id, row]),
  );
  for (const [receipt, { messageId, attempt }] of keyOf) {
    const message = known.get(messageId);
    // A number no call has had belongs to someone else's message of the same id.
    if (!message || attempt > message.attempts) continue;
    const entry = matched.get(messageId);
    if (entry) entry.receipts.push({ ...receipt, attempt });
    else matched.set(messageId, { message, receipts: [{ ...receipt, attempt }], calls: new Map() });
  }
  await readCalls(trx, [...matched.values()].filter(dependsOnCalls));
  return matched;
}

/** A failure may be that of one call among several; "sent" may come after its call has failed. */
function dependsOnCalls({ message, receipts }: MatchedReceipts): boolean {
  if (receipts.some(({ state }) => state === 'failed')) return true;
  const { state, attempts } = message;
  const isUnderWay = state === 'sending' || state === 'parked';
  const hasFailedCall = attempts > 1 || (rankOf(state) < rankOf('accepted') && !isUnderWay);
  return hasFailedCall && receipts.some(({ state }) => state === 'sent');
}

async function readCalls(trx: Scope['trx'], entries: MatchedReceipts[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = await trx
    .selectFrom('message_attempts')
    .select(['messageId', 'attempt', 'state'])
    .where(
      'messageId',
      'in',
      entries.map(({ message }) => message.id),
    )
    .execute();
  const byMessage = Map.groupBy(rows, ({ messageId }) => messageId);
  for (const entry of entries)
    entry.calls = new Map(
      (byMessage.get(entry.message.id) ?? []).map(({ attempt, state }) => [attempt, state] as const),
    );
}
