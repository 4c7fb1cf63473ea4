import type { MessageFacts } from './run-state.ts';

/** What a person said in several messages, as one: the texts one below the other, and of everything else the newest. */
export function mergeMessages(messages: readonly MessageFacts[]): MessageFacts {
  const [first, ...rest] = messages;
  if (first === undefined) return { type: 'start' };
  if (rest.length === 0) return first;
  const texts = messages.map(({ text }) => text).filter((text) => text !== undefined);
  const merged: MessageFacts = Object.assign({}, ...messages);
  return {
    ...merged,
    type: texts.length > 0 ? 'text' : merged.type,
    ...(texts.length > 0 ? { text: texts.join('\n') } : {}),
    ...(first.isFirst === undefined ? {} : { isFirst: first.isFirst }),
  };
}
