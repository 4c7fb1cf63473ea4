import type { HistoryMessage, MessageFacts, Value, Variables } from '@switchyard/flows';
import type { InboxPayloads } from './create-inbox.ts';
import type { SessionMessage } from './session.ts';

type Event = InboxPayloads['event'];
type Content = NonNullable<Event['content']>;

/** Longer contents of events are left out: they would be copied into the state of every run that begins with them. */
const BODY_MOST_CHARACTERS = 256_000;

/** What a flow may know of a message, or of another event. */
export function factsOf(event: Event): MessageFacts {
  const { kind, name, content, body, campaignId, isFirstMessage } = event;
  if (kind !== 'message' || !content)
    return { type: kind, name, ...defined({ body: body === undefined ? undefined : readBody(body) }) };
  const { type, text, replyId, media, referral, raw } = content;
  return {
    type,
    ...defined({
      text,
      replyId,
      media: media as MessageFacts['media'],
      referral: referral as Value | undefined,
      location: type === 'location' ? (raw?.location as Value | undefined) : undefined,
      campaignId,
      isFirst: isFirstMessage === true ? true : undefined,
    }),
  };
}

/** The content of an event: JSON where it is, else text. Whole numbers that JavaScript can't hold stay text. */
export function readBody(body: string): Value {
  if (body.length > BODY_MOST_CHARACTERS) return null;
  try {
    return JSON.parse(body, ((_key, value: unknown, context?: { source?: string }) => {
      if (typeof value !== 'number' || Number.isSafeInteger(value) || !Number.isInteger(value)) return value;
      return context?.source ?? value;
    }) as (key: string, value: unknown) => unknown);
  } catch {
    return body;
  }
}

/** A message as a session keeps it: text, or a list of parts. */
export function toSessionMessage({ type, text }: Content): SessionMessage {
  if (type === 'text' && text !== undefined) return { role: 'user', content: text };
  return { role: 'user', content: [{ type, ...(text === undefined ? {} : { text }) }] };
}

/** Messages of a session as a model is shown them: parts that are no text are named. */
export function toHistory(messages: readonly SessionMessage[]): HistoryMessage[] {
  return messages.map(({ role, content }) => ({
    role,
    content:
      typeof content === 'string'
        ? content
        : content.map(({ type, text }) => (typeof text === 'string' ? text : `[${type}]`)).join('\n'),
  }));
}

/** The values of an input that a flow which declares none can keep. */
export function plainVariables(input: Record<string, unknown> = {}): Variables {
  return Object.fromEntries(
    Object.entries(input).filter(
      (entry): entry is [string, string | number | boolean | null] =>
        entry[1] === null || ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  );
}

/** Without the fields that are undefined. */
function defined<T extends Record<string, unknown>>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
