import type { MessageFacts, Variables } from '@switchyard/flows';
import type { InboxPayloads } from './create-inbox.ts';
import type { SessionMessage } from './session.ts';

type Content = NonNullable<InboxPayloads['event']['content']>;

/** What a flow may know of a message. */
export function factsOf({ type, text, replyId }: Content): MessageFacts {
  return {
    type,
    ...(text === undefined ? {} : { text }),
    ...(replyId === undefined ? {} : { replyId }),
  };
}

/** A message as a session keeps it: text, or a list of parts. */
export function toSessionMessage({ type, text }: Content): SessionMessage {
  if (type === 'text' && text !== undefined) return { role: 'user', content: text };
  return { role: 'user', content: [{ type, ...(text === undefined ? {} : { text }) }] };
}

/** The values of an input that a flow can keep. */
export function plainVariables(input: Record<string, unknown> = {}): Variables {
  return Object.fromEntries(
    Object.entries(input).filter(
      (entry): entry is [string, Variables[string]] =>
        entry[1] === null || ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  );
}
