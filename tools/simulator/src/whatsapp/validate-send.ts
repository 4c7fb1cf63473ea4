import { type GraphError, graphError } from './graph-error.ts';
import { type ContentLookups, sendableTypes, validateContent } from './validate-content.ts';

type Json = Record<string, unknown>;

/** A sound request to send. */
export interface SendRequest {
  /** `to` or `recipient` as the caller wrote it. */
  readonly input: string;
  /** The recipient's digits; absent when the send is addressed to a user id. */
  readonly phone: string | undefined;
  readonly userId: string | undefined;
  readonly type: string;
  readonly content: unknown;
  /** `biz_opaque_callback_data`. */
  readonly opaque: string | undefined;
}

const sendable: readonly string[] = sendableTypes;
const userIdPattern = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/;
const required = (name: string) => graphError(100, undefined, `The parameter ${name} is required.`);

type Address = Pick<SendRequest, 'input' | 'phone' | 'userId'>;

/** `to` wins over `recipient`. */
function readAddress(payload: Json): Address | GraphError {
  const { to, recipient } = payload;
  if (to !== undefined && to !== '') {
    if (typeof to !== 'string' && typeof to !== 'number') {
      return graphError(100, undefined, 'Param to must be a string.');
    }
    const input = String(to);
    const phone = input.replace(/[\s()+.-]/g, '');
    if (!/^\d{5,15}$/.test(phone)) return graphError(131009, 'Parameter to is not a valid phone number');
    return { input, phone, userId: undefined };
  }
  if (recipient === undefined || recipient === '') return required('to');
  if (typeof recipient !== 'string' || !userIdPattern.test(recipient)) {
    return graphError(131009, 'Parameter recipient is not a valid business-scoped user id');
  }
  return { input: recipient, phone: undefined, userId: recipient };
}

/**
 * Checks the body of a send.
 *
 * @param payload parsed JSON.
 * @param senderDigits the sending number, which can't write to itself.
 * @param lookups `validateTemplate` gets whether the send is addressed to a phone.
 * @returns the request, or the error that the provider would answer.
 */
export function validateSend(
  payload: Json,
  senderDigits: string,
  lookups: Pick<ContentLookups, 'hasMedia'> & {
    validateTemplate(content: Json, toPhone: boolean): GraphError | undefined;
  },
): SendRequest | GraphError {
  if (payload.messaging_product === undefined) return required('messaging_product');
  if (payload.messaging_product !== 'whatsapp') {
    return graphError(100, undefined, 'Param messaging_product must be one of {WHATSAPP}.');
  }
  const recipientType = payload.recipient_type;
  if (recipientType !== undefined && recipientType !== 'individual' && recipientType !== 'group') {
    return graphError(100, undefined, 'Param recipient_type must be one of {INDIVIDUAL, GROUP}.');
  }
  const address = readAddress(payload);
  if ('code' in address) return address;
  if (address.phone === senderDigits)
    return graphError(131021, 'Sender and recipient phone number is the same');
  const type = payload.type ?? 'text';
  if (typeof type !== 'string' || !sendable.includes(type)) {
    return graphError(
      100,
      undefined,
      `Param type must be one of {${sendable.map((each) => each.toUpperCase()).join(', ')}} - got "${String(type)}".`,
    );
  }
  const opaque = payload.biz_opaque_callback_data;
  if (opaque !== undefined && (typeof opaque !== 'string' || opaque.length > 512)) {
    return graphError(100, undefined, 'Param biz_opaque_callback_data must be at most 512 characters long.');
  }
  const { context } = payload;
  if (context !== undefined) {
    const messageId =
      typeof context === 'object' && context !== null ? (context as Json).message_id : undefined;
    if (typeof messageId !== 'string') return required("context['message_id']");
  }
  const content = payload[type];
  const problem = validateContent(type, content, {
    hasMedia: lookups.hasMedia,
    validateTemplate: (template) => lookups.validateTemplate(template, address.phone !== undefined),
  });
  if (problem) return problem;
  return { ...address, type, content, opaque };
}
