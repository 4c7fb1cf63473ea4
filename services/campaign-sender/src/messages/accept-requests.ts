import { createHash } from 'node:crypto';
import type { JobMeta, JobToAdd } from '@switchyard/jobs';
import { createId } from '@switchyard/runtime';
import type { Store } from '../database/scope.ts';
import { idempotencyKeyReused, messageInvalid } from '../errors.ts';
import type { Candidate } from './message-candidate.ts';
import { type OutgoingMessage, priorityOf, readOutgoing, type SendMessage } from './outgoing-message.ts';
import { type MessageToRecord, recordMessages } from './record-messages.ts';
import type { Recorder } from './recorder.ts';

/** Requests of one API call. */
export interface MessageRequests {
  merchantId: string;
  /** The caller's Idempotency-Key: the same key is the same messages. */
  idempotencyKey: string | undefined;
  /** The body as it came, to tell a repeat from another request. */
  body: unknown;
  /** The request's ids, for the jobs that follow from it. */
  meta: JobMeta;
  messages: readonly Pick<
    SendMessage,
    'to' | 'content' | 'type' | 'senderId' | 'replyTo' | 'lane' | 'expiresAtMs' | 'onUnknown'
  >[];
}

/**
 * Records the messages of an API call, all or none, and queues their delivery.
 *
 * @throws MESSAGE_INVALID for the first that can't be sent. IDEMPOTENCY_KEY_REUSED for the same key with another body.
 */
export async function acceptRequests(
  store: Store,
  recorder: Pick<Recorder, 'chooseSender'>,
  { merchantId, idempotencyKey, body, meta, messages }: MessageRequests,
): Promise<Candidate[]> {
  const requestHash = digest(JSON.stringify(body));
  const items: MessageToRecord[] = [];
  for (const [index, request] of messages.entries()) {
    const id = idempotencyKey === undefined ? createId('msg') : keyedId(merchantId, idempotencyKey, index);
    const { message, problem } = readOutgoing(
      { lane: 'transactional', ...request, origin: { kind: 'api' } },
      { id, merchantId, requestHash },
    );
    if (problem)
      throw messageInvalid(`message ${index}: ${problem.field} ${problem.message}`, {
        details: { index, field: problem.field, code: problem.code },
      });
    items.push({ message, problem: undefined, senderId: await senderOf(recorder, message, index) });
  }
  return await store.inScope(async ({ trx, enqueue }) => {
    const recorded = await recordMessages(trx, store.dialect, items, store.now());
    if (idempotencyKey !== undefined) {
      const rows = await trx
        .selectFrom('messages')
        .select('requestHash')
        .where(
          'id',
          'in',
          recorded.map(({ id }) => id),
        )
        .execute();
      if (rows.some((row) => row.requestHash !== requestHash))
        throw idempotencyKeyReused('this Idempotency-Key came with another request before');
    }
    for (const [index, candidate] of recorded.entries())
      if (candidate.state === 'queued' && candidate.attempts === 0)
        enqueue(wakeUp(candidate, items[index]!.message, meta));
    return recorded;
  });
}

async function senderOf(
  recorder: Pick<Recorder, 'chooseSender'>,
  message: OutgoingMessage,
  index: number,
): Promise<string> {
  const senderId = await recorder.chooseSender(message);
  if (senderId === null)
    throw messageInvalid(`message ${index}: there is no number to send from`, {
      details: { index, field: 'senderId', code: 'SENDER_UNKNOWN' },
    });
  return senderId;
}

function wakeUp({ id, merchantId }: Candidate, { lane }: OutgoingMessage, meta: JobMeta): JobToAdd {
  return {
    queue: 'messages',
    name: 'deliver-message',
    payload: { merchantId, messageId: id, turn: 0 },
    options: { priority: priorityOf(lane) },
    meta: { ...meta, merchantId },
  };
}

function keyedId(merchantId: string, key: string, index: number): string {
  return `msg_k${digest(`${merchantId}\n${key}\n${index}`).slice(0, 40)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
