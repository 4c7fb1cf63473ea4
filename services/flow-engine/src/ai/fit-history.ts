/** One message of a conversation, as models take it. */
export interface ChatMessage {
  role: 'user' | 'assistant';
  content: string;
}

/** What a message costs beside its text. */
const OVERHEAD_TOKENS = 4;
/** Bytes of UTF-8 to a token, on the careful side: English has about 4, other scripts fewer characters but more bytes. */
const BYTES_PER_TOKEN = 3;

/** A careful estimate: no tokenizer fits every model. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text, 'utf8') / BYTES_PER_TOKEN);
}

/**
 * Reads a session's messages and keeps the newest that fit a budget of tokens, in their order.
 *
 * The last message is always kept, its beginning cut off if it alone is too long; a history that begins with our own answer makes no
 * sense to a model, so such beginnings go.
 *
 * @param messages `{role, content}`; content is text or a list of parts, of which the texts count.
 */
export function fitHistory(
  messages: readonly Record<string, unknown>[],
  budgetTokens: number,
): ChatMessage[] {
  const kept: ChatMessage[] = [];
  let left = budgetTokens;
  for (const message of messages.toReversed()) {
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content = textOf(message.content);
    if (content === '') continue;
    const tokens = estimateTokens(content) + OVERHEAD_TOKENS;
    if (tokens > left) {
      if (kept.length === 0)
        kept.push({ role, content: cutBeginning(content, Math.max(1, left - OVERHEAD_TOKENS)) });
      break;
    }
    left -= tokens;
    kept.push({ role, content });
  }
  kept.reverse();
  const first = kept.findIndex(({ role }) => role === 'user');
  return first < 0 ? kept.slice(-1) : kept.slice(first);
}

function cutBeginning(text: string, tokens: number): string {
  const bytes = Buffer.from(text, 'utf8').subarray(-tokens * BYTES_PER_TOKEN);
  // A character that was cut in two is dropped.
  return bytes.toString('utf8').replace(/^\ufffd+/, '');
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content.trim();
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => (typeof part === 'string' ? part : ((part as { text?: unknown } | null)?.text ?? '')))
    .filter((text): text is string => typeof text === 'string' && text !== '')
    .join('\n')
    .trim();
}
