import type { HistoryMessage } from './run-state.ts';

/**
 * How many tokens a text has for a model, at most: no tokenizer fits all models, so it counts a token per four letters of the Latin
 * alphabet and one per character of any other, and some for what surrounds a message.
 */
export function estimateTokens(content: HistoryMessage['content']): number {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  let latin = 0;
  let other = 0;
  for (const character of text) {
    if ((character.codePointAt(0) ?? 0) < 0x250) latin += 1;
    else other += 1;
  }
  return Math.ceil(latin / 4) + other + 4;
}

/** The newest messages that fit a budget, oldest first; of the very newest, what fits of its end. */
export function cutHistory(history: readonly HistoryMessage[], tokens: number): HistoryMessage[] {
  const kept: HistoryMessage[] = [];
  let left = tokens;
  for (const message of history.toReversed()) {
    const cost = estimateTokens(message.content);
    if (cost > left) break;
    kept.unshift(message);
    left -= cost;
  }
  const newest = history.at(-1);
  if (kept.length === 0 && newest && typeof newest.content === 'string') {
    let content = [...newest.content];
    while (content.length > 1 && estimateTokens(content.join('')) > tokens)
      content = content.slice(Math.ceil(content.length / 4));
    kept.push({ ...newest, content: content.join('') });
  }
  return kept;
}
