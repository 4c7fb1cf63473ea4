import type { JobPayload } from '@switchyard/jobs';
import type { Identifier } from '../contacts/address.ts';
import { formatCallbackData } from '../sending/callback-data.ts';
import { checkContent, type MessageType } from './content/check-content.ts';
import type { ContentProblem } from './content/problem.ts';
import { type Recipient, readRecipient } from './recipient.ts';

/** The `messages`/send-message job. */
export type SendMessage = JobPayload<'messages', 'send-message'>;

/** A request to send, checked as far as that is possible without looking anything up. */
export interface OutgoingMessage {
  id: string;
  merchantId: string;
  to: Identifier;
  type: MessageType;
  content: Record<string, unknown>;
  templateFallback: Record<string, unknown> | undefined;
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
 * @param identity the message's id and merchant, decided by the caller. @param recipient who is known to be meant.
 */
export function readOutgoing(
  payload: SendMessage,
  identity: { id: string; merchantId: string; requestHash?: string },
  recipient: Recipient = readRecipient(payload.to),
): { message: OutgoingMessage; problem: OutgoingProblem | undefined } {
  const type = payload.type ?? 'text';
  const { to, problem } = recipient;
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
    templateFallback: payload.templateFallback,
    contactId: payload.contactId,
    senderId: payload.senderId,
    replyTo: payload.replyTo,
    lane: payload.lane ?? 'flow',
    origin: payload.origin,
    expiresAtMs: payload.expiresAtMs,
    onUnknown: payload.onUnknown ?? 'resend',
    requestHash: identity.requestHash,
  };
  return {
    message,
    problem: to ? findProblem(payload, message) : { code: 'ADDRESS_INVALID', field: 'to', message: problem },
  };
}

function findProblem(payload: SendMessage, { type, content }: OutgoingMessage): OutgoingProblem | undefined {
  if (typeof payload.content === 'string' && type !== 'text')
    return { code: 'CONTENT_INVALID', field: 'content', message: `must be an object for type ${type}` };
  const found = checkContent(type, content);
  if (found) return { code: 'CONTENT_INVALID', field: under('content', found), message: found.message };
  const { templateFallback } = payload;
  if (templateFallback === undefined) return undefined;
  if (type === 'template')
    return {
      code: 'CONTENT_INVALID',
      field: 'templateFallback',
      message: 'is for messages that are no template',
    };
  const inFallback = checkContent('template', templateFallback);
  return (
    inFallback && {
      code: 'CONTENT_INVALID',
      field: under('templateFallback', inFallback),
      message: inFallback.message,
    }
  );
}

function under(root: string, { field }: ContentProblem): string {
  return field === '' ? root : `${root}.${field}`;
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
