import type { Insertable } from 'kysely';
import type { ContactRow } from '../contacts/contact-store.ts';
import type { InboundMediaTable } from '../database/people-tables.ts';
import type { MessagesTable } from '../database/tables.ts';
import type { InboundFile } from '../media-in/read-media.ts';
import type { InboundContent } from './inbound-content.ts';
import type { ReceiveMessage } from './receive-messages.ts';

/** Who has written from the business's own phone, where the number is used there too. */
export const BUSINESS_APP_USER = 'whatsapp-business-app';

/** What a message's row is made from. */
export interface InboundRow {
  id: string;
  contact: ContactRow;
  senderId: string;
  payload: ReceiveMessage;
  content: InboundContent;
  direction: 'in' | 'out';
  /** Place among the contact's events; null for what is none. */
  sequence: number | null;
  acceptedAtMs: number;
}

/** The row of a message that came from the provider: a person's, or one of ours from the business's phone. */
export function toInboundRow(row: InboundRow): Insertable<MessagesTable> {
  const { id, contact, senderId, payload, content, direction, sequence, acceptedAtMs } = row;
  const isOwn = direction === 'out';
  const providerId = payload.message.id;
  return {
    id,
    merchantId: payload.merchantId,
    direction,
    contactId: contact.id,
    senderId,
    addressKind: contact.phone === null ? 'user_id' : 'phone',
    address: contact.phone ?? contact.userId ?? contact.id,
    type: content.type.slice(0, 64),
    content: JSON.stringify(payload.message),
    state: isOwn ? 'sent' : 'received',
    priority: 1,
    lane: isOwn ? 'transactional' : 'flow',
    origin: isOwn ? JSON.stringify({ kind: 'person', userId: BUSINESS_APP_USER }) : null,
    replyTo: content.contextId?.slice(0, 500) ?? null,
    onUnknown: 'fail',
    attempts: 0,
    failures: 0,
    turn: 0,
    nextAttemptAtMs: null,
    expiresAtMs: null,
    providerMessageId: typeof providerId === 'string' && providerId.length <= 191 ? providerId : null,
    failureCode: null,
    failureReason: null,
    requestHash: null,
    sequence,
    createdAtMs: acceptedAtMs,
    updatedAtMs: acceptedAtMs,
  };
}

/** The row of a file that is to be fetched. */
export function toMediaRow(
  id: string,
  { contact, id: messageId, senderId, acceptedAtMs }: InboundRow,
  file: InboundFile,
): Insertable<InboundMediaTable> {
  return {
    id,
    merchantId: contact.merchantId,
    contactId: contact.id,
    messageId,
    senderId,
    ...file,
    bytes: null,
    path: null,
    state: 'pending',
    attempts: 0,
    nextAttemptAtMs: acceptedAtMs,
    failureCode: null,
    failureReason: null,
    createdAtMs: acceptedAtMs,
    updatedAtMs: acceptedAtMs,
  };
}
