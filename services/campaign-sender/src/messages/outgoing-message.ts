import type { JobPayload } from '@switchyard/jobs';
import { type Identifier, parseAddress } from '../contacts/address.ts';
import { formatCallbackData } from '../sending/callback-data.ts';

/** The `messages`/send-message job. */
export type SendMessage = JobPayload<'messages', 'send-message'>;

/** A request to send, checked as far as that is possible without looking anything up. */
export interface OutgoingMessage {
  id: string;
  merchantId: string;
  to: Identifier;
  type: string;
  content: Record<string, unknown>;
  contactId: string | undefined;
  senderId: string | undefined;
  replyTo: string | undefined;
  lane: 'transactional' | 'flow' | 'campaign';
  origin: SendMessage['origin'];
  expiresAtMs: number | undefined;
  onUnknown: 'resend' | 'fail';
  requestHash: string | undefined;
}

/** Why a request can't be fulfilled, and the field at fault. */
export interface OutgoingProblem {
  code: string;
  field: string;
  message: string;
}

const lanePriorities = { transactional: 1, flow: 4, campaign: 8 } as const;

/** Priority of a lane, 1 (most urgent) to 10. */
export function priorityOf(lane: OutgoingMessage['lane']): number {
  return lanePriorities[lane];
}

/**
 * Reads a request to send. Never throws, since a job that asks for the impossible still leaves a message that failed.
 *
 * @param identity the message's id and merchant, decided by the caller.
 */
export function readOutgoing(
  payload: SendMessage,
  identity: { id: string; merchantId: string; requestHash?: string },
): { message: OutgoingMessage; problem: OutgoingProblem | undefined } {
  const type = payload.type ?? 'text';
  const to = parseAddress(payload.to);
  const content =
    typeof payload.content === 'string'
      ? { body: payload.content }
      : (payload.content as Record<string, unknown>);
  const message: OutgoingMessage = {
    id: identity.id,
    merchantId: identity.merchantId,
    to: to ?? { kind: 'phone', value: payload.to.slice(0, 160) },
    type,
    content,
    contactId: payload.contactId,
    senderId: payload.senderId,
    replyTo: payload.replyTo,
    lane: payload.lane ?? 'flow',
    origin: payload.origin,
    expiresAtMs: payload.expiresAtMs,
    onUnknown: payload.onUnknown ?? 'resend',
    requestHash: identity.requestHash,
  };
  return { message, problem: to ? findProblem(payload, message) : invalidAddress };
}

const invalidAddress: OutgoingProblem = {
  code: 'ADDRESS_INVALID',
  field: 'to',
  message: 'must be a phone number in international form, or a business-scoped user id',
};

function findProblem(payload: SendMessage, { type, content }: OutgoingMessage): OutgoingProblem | undefined {
  if (typeof payload.content === 'string' && type !== 'text')
    return { code: 'CONTENT_INVALID', field: 'content', message: `must be an object for type ${type}` };
  if (type === 'text') {
    const { body } = content;
    if (typeof body !== 'string' || body.length === 0 || body.length > 4096)
      return { code: 'CONTENT_INVALID', field: 'content.body', message: 'must be 1 to 4096 characters' };
  }
  if (type === 'template' && (typeof content.name !== 'string' || typeof content.language !== 'object'))
    return { code: 'CONTENT_INVALID', field: 'content', message: 'must have name and language' };
  if (type === 'contacts' && !Array.isArray(content.contacts))
    return { code: 'CONTENT_INVALID', field: 'content.contacts', message: 'must be an array' };
  return undefined;
}

/** The request's body for one attempt, as text. */
export function buildRequestBody(
  message: {
    id: string;
    addressKind: string;
    address: string;
    type: string;
    content: Record<string, unknown>;
    replyTo: string | null;
  },
  attempt: number,
): string {
  const { addressKind, address, type, content, replyTo } = message;
  return JSON.stringify({
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    ...(addressKind === 'phone' ? { to: address.replace('+', '') } : { recipient: address }),
    type,
    [type]: type === 'contacts' ? content.contacts : content,
    ...(replyTo === null ? {} : { context: { message_id: replyTo } }),
    biz_opaque_callback_data: formatCallbackData({ messageId: message.id, attempt }),
  });
}
