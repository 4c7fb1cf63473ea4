import type { JobPayload } from '@switchyard/jobs';

/** A message in the terms that triggers and questions work with. */
export type InboundContent = NonNullable<JobPayload<'flows', 'handle-event'>['content']>;

type Loose = Record<string, unknown>;

/** Types whose object carries a caption. */
const captioned = ['image', 'video', 'document', 'audio', 'sticker'];

/** Reads a message of the Cloud API, of whatever type: what is not understood stays in `raw`. */
export function readInboundContent(message: Loose): InboundContent {
  const type = typeof message.type === 'string' && message.type !== '' ? message.type : 'unsupported';
  const text = readText(type, message);
  const replyId = readReplyId(type, message);
  const contextId = textOf(objectOf(message.context).id);
  const referral = message.referral;
  return {
    type,
    ...(text === undefined ? {} : { text }),
    ...(replyId === undefined ? {} : { replyId }),
    ...(contextId === undefined ? {} : { contextId }),
    ...(typeof referral === 'object' && referral !== null ? { referral: referral as Loose } : {}),
    raw: message,
  };
}

function readText(type: string, message: Loose): string | undefined {
  const own = objectOf(message[type]);
  if (type === 'text') return textOf(own.body);
  if (type === 'button') return textOf(own.text);
  if (type === 'reaction') return textOf(own.emoji);
  if (type === 'interactive') {
    const reply = objectOf(own.button_reply ?? own.list_reply);
    return textOf(reply.title);
  }
  if (captioned.includes(type)) return textOf(own.caption);
  if (type === 'order' || type === 'system') return textOf(own.text ?? own.body);
  return undefined;
}

function readReplyId(type: string, message: Loose): string | undefined {
  const own = objectOf(message[type]);
  if (type === 'button') return textOf(own.payload);
  if (type === 'interactive') return textOf(objectOf(own.button_reply ?? own.list_reply).id);
  return undefined;
}

function objectOf(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? (value as Loose) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
