import { upsert } from '@switchyard/database';
import type { JobPayload } from '@switchyard/jobs';
import { createId } from '@switchyard/runtime';
import { takeSnapshot } from '../contacts/contact-snapshot.ts';
import { attachIdentifiers, type ContactRow } from '../contacts/contact-store.ts';
import { optIn, optOut } from '../contacts/opt-out.ts';
import { readKeyword } from '../contacts/opt-out-keywords.ts';
import { readIdentifiers, readNewIdentifiers } from '../contacts/profile.ts';
import type { Scope, Store } from '../database/scope.ts';
import { publishEvents } from '../messages/merchant-events.ts';
import { type InboundContent, readInboundContent } from './inbound-content.ts';
import { meetContact } from './meet-contact.ts';

/** The `inbound`/receive-message job. */
export type ReceiveMessage = JobPayload<'inbound', 'receive-message'>;

/** Whether a job's effect has been done before. Inserts its key in the transaction of the effect. */
export type FirstTime = (trx: Scope['trx'], jobId: string) => Promise<boolean>;

/** How long free-form messages are allowed after a person wrote. */
export const WINDOW_MS = 24 * 60 * 60 * 1000;

/** What an inbound message did. */
export interface ReceivedMessage {
  contactId: string;
  messageId: string;
  sequence: number;
}

/**
 * Receives a message of a person, in one transaction: contact, profile, window, opt-out, the message, its place among the contact's
 * events, and the two jobs that follow (a flow's event, the merchant's event).
 *
 * @returns undefined when it had been received before, or when it names nobody.
 */
export async function receiveMessage(
  store: Store,
  firstTime: FirstTime,
  sender: { id: string },
  payload: ReceiveMessage,
): Promise<ReceivedMessage | undefined> {
  return await store.inScope(async (scope) => {
    const { trx } = scope;
    if (!(await firstTime(trx, payload.eventId))) return undefined;
    const nowMs = store.now();
    const identifiers = readIdentifiers(payload);
    if (identifiers.length === 0) {
      await keepUnmatched(scope, payload);
      return undefined;
    }
    const contact = await meetContact(scope, store.dialect, payload.merchantId, identifiers, nowMs, {
      name: payload.profile?.name,
    });
    const announced = readNewIdentifiers(payload.message);
    if (announced.length > 0) await attachIdentifiers(trx, store.dialect, contact, announced, nowMs);
    const content = readInboundContent(payload.message);
    await followKeyword(scope, store, contact, content, nowMs);
    const windowExpiresAtMs = await openWindow(scope, store, contact, sender.id, payload);
    const messageId = createId('msg', nowMs);
    await recordInbound(scope, contact, sender.id, messageId, payload, content, nowMs);
    tell(scope, contact, sender.id, messageId, payload, content, windowExpiresAtMs, nowMs);
    return { contactId: contact.id, messageId, sequence: contact.lastSequence };
  });
}

/** A message of nobody: some system messages name no one. */
async function keepUnmatched({ trx }: Scope, payload: ReceiveMessage): Promise<void> {
  const { eventId, merchantId, message, occurredAtMs, receivedAtMs } = payload;
  await trx
    .insertInto('unmatched_events')
    .values({
      id: eventId,
      merchantId,
      kind: 'message',
      name: 'message.received',
      body: JSON.stringify(message),
      occurredAtMs,
      receivedAtMs,
    })
    .execute();
}

/** Opt-out wins: the flow's event still goes, and says so. Opting in again takes back only what keywords and preferences did. */
async function followKeyword(
  scope: Scope,
  { dialect }: Store,
  contact: ContactRow,
  content: InboundContent,
  nowMs: number,
): Promise<void> {
  const decision = readKeyword(content.text);
  if (decision === 'opt-out') {
    await optOut(scope, dialect, contact, { reason: 'keyword', source: 'message' }, nowMs);
  }
  if (decision === 'opt-in' && contact.optedOut === 1) {
    await optIn(scope, dialect, contact, { reasons: ['keyword', 'preference'], source: 'keyword' }, nowMs);
  }
}

/** The provider counts from the person's message; one that was delayed on its way to us opens less of a window. */
async function openWindow(
  { trx }: Scope,
  { dialect }: Store,
  contact: ContactRow,
  senderId: string,
  { merchantId, occurredAtMs }: ReceiveMessage,
): Promise<number> {
  const windowExpiresAtMs = occurredAtMs + WINDOW_MS;
  const known = await trx
    .selectFrom('conversations')
    .select('windowExpiresAtMs')
    .where('contactId', '=', contact.id)
    .where('senderId', '=', senderId)
    .executeTakeFirst();
  if (known && known.windowExpiresAtMs >= windowExpiresAtMs) return known.windowExpiresAtMs;
  await upsert(
    trx,
    dialect,
    'conversations',
    [{ contactId: contact.id, senderId, merchantId, windowExpiresAtMs, lastInboundAtMs: occurredAtMs }],
    ['contactId', 'senderId'],
    ['windowExpiresAtMs', 'lastInboundAtMs'],
  );
  return windowExpiresAtMs;
}

async function recordInbound(
  { trx }: Scope,
  contact: ContactRow,
  senderId: string,
  messageId: string,
  payload: ReceiveMessage,
  content: InboundContent,
  nowMs: number,
): Promise<void> {
  const { id } = payload.message;
  await trx
    .insertInto('messages')
    .values({
      id: messageId,
      merchantId: payload.merchantId,
      direction: 'in',
      contactId: contact.id,
      senderId,
      addressKind: contact.phone === null ? 'user_id' : 'phone',
      address: contact.phone ?? contact.userId ?? contact.id,
      type: content.type.slice(0, 64),
      content: JSON.stringify(payload.message),
      state: 'received',
      priority: 1,
      lane: 'flow',
      origin: null,
      replyTo: content.contextId ?? null,
      onUnknown: 'fail',
      attempts: 0,
      failures: 0,
      turn: 0,
      nextAttemptAtMs: null,
      expiresAtMs: null,
      providerMessageId: typeof id === 'string' ? id : null,
      failureCode: null,
      failureReason: null,
      requestHash: null,
      sequence: contact.lastSequence,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    })
    .execute();
}

function tell(
  { enqueue }: Scope,
  contact: ContactRow,
  senderId: string,
  messageId: string,
  payload: ReceiveMessage,
  content: InboundContent,
  windowExpiresAtMs: number,
  nowMs: number,
): void {
  const { merchantId, eventId, occurredAtMs, message } = payload;
  const providerMessageId = typeof message.id === 'string' ? message.id : undefined;
  enqueue({
    queue: 'flows',
    name: 'handle-event',
    payload: {
      merchantId,
      eventId,
      kind: 'message',
      name: 'message.received',
      contact: takeSnapshot(contact, windowExpiresAtMs),
      sequence: contact.lastSequence,
      senderId,
      messageId,
      ...(providerMessageId === undefined ? {} : { providerMessageId }),
      content,
      occurredAtMs,
      acceptedAtMs: nowMs,
    },
    meta: { merchantId },
  });
  publishEvents(enqueue, merchantId, [
    {
      id: `${messageId}_received`,
      type: 'message.received',
      occurredAtMs,
      data: {
        messageId,
        contactId: contact.id,
        senderId,
        providerMessageId: providerMessageId ?? null,
        from: contact.phone ?? contact.userId,
        message,
      },
    },
  ]);
}
