import type { JobToAdd, Producer } from '@switchyard/jobs';
import type { Store } from '../database/scope.ts';
import { valueByKey } from '../database/value-by-key.ts';
import { CLAIM_MS } from '../messages/record-messages.ts';
import type { SenderDirectory } from '../senders/sender-directory.ts';

const SENDERS_PER_VISIT = 500;
const MESSAGES_PER_SENDER = 500;

/**
 * Wakes messages that are due: those that waited for their pace, for another try or for a person, and those whose job was lost. Of
 * each number no more than its rate allows in `horizonMs`, most urgent lane first.
 *
 * The row is claimed for a minute first; a crash before the job is added costs that minute and nothing else.
 *
 * @returns how many were woken.
 */
export async function dispatchDue(
  store: Store,
  producer: Pick<Producer, 'addMany'>,
  senders: Pick<SenderDirectory, 'byId'>,
  horizonMs: number,
): Promise<number> {
  const nowMs = store.now();
  const due = await store.db
    .selectFrom('messages')
    .select('senderId')
    .distinct()
    .where('state', '=', 'queued')
    .where('nextAttemptAtMs', '<=', nowMs)
    .limit(SENDERS_PER_VISIT)
    .execute();
  let woken = 0;
  for (const { senderId } of due) {
    const sender = senderId === null ? undefined : await senders.byId(senderId);
    const share = sender
      ? Math.ceil((sender.pace.messagesPerSecond * horizonMs) / 1000) + 1
      : MESSAGES_PER_SENDER;
    woken += await wake(store, producer, senderId, Math.min(share, MESSAGES_PER_SENDER), nowMs);
  }
  return woken;
}

async function wake(
  store: Store,
  producer: Pick<Producer, 'addMany'>,
  senderId: string | null,
  limit: number,
  nowMs: number,
): Promise<number> {
  const rows = await store.db
    .selectFrom('messages')
    .select(['id', 'merchantId', 'turn', 'priority'])
    .where('senderId', senderId === null ? 'is' : '=', senderId)
    .where('state', '=', 'queued')
    .where('nextAttemptAtMs', '<=', nowMs)
    .orderBy('priority')
    .orderBy('nextAttemptAtMs')
    .orderBy('id')
    .limit(limit)
    .execute();
  if (rows.length === 0) return 0;
  await store.db
    .updateTable('messages')
    .set({
      nextAttemptAtMs: nowMs + CLAIM_MS,
      turn: valueByKey(
        'id',
        rows.map(({ id, turn }) => [id, turn + 1] as const),
      ),
    })
    .where(
      'id',
      'in',
      rows.map(({ id }) => id),
    )
    .where('state', '=', 'queued')
    .execute();
  await producer.addMany(
    rows.map(
      ({ id, merchantId, turn, priority }): JobToAdd => ({
        queue: 'messages',
        name: 'deliver-message',
        payload: { merchantId, messageId: id, turn: turn + 1 },
        options: { priority },
        meta: { merchantId },
      }),
    ),
  );
  return rows.length;
}
