import { DEFAULT_MERCHANT_ID } from '@switchyard/runtime';

/** What a session holds of one message (R5.1). */
export interface SessionMessage {
  role: 'user' | 'assistant';
  content: string | Record<string, unknown>[];
}

/** A session as it lives in Redis (R5.1). */
export interface Session {
  /**
   * `active` while a flow waits, `handed-over` while a person answers, `opted-out` once the person wants no more, else `idle`.
   */
  status: 'active' | 'idle' | 'handed-over' | 'opted-out';
  messages: SessionMessage[];
  updatedAt: number;
}

/** How long a session lasts without use (R5.1). */
export const SESSION_TTL_MS = 6 * 3600 * 1000;

/** A session is a memory for people and models, not an archive. */
const MESSAGES_MOST = 50;
const CHARACTERS_MOST = 32_000;

/**
 * The history after more was said: what is older than a session lasts is forgotten, and so is the oldest beyond the limits.
 *
 * @param history JSON of the messages so far.
 */
export function continueHistory(
  history: { messages: string; updatedAtMs: number } | undefined,
  said: readonly SessionMessage[],
  nowMs: number,
): SessionMessage[] {
  const isAlive = history !== undefined && nowMs - history.updatedAtMs <= SESSION_TTL_MS;
  const before = isAlive ? (JSON.parse(history.messages) as SessionMessage[]) : [];
  const messages = [...before, ...said].slice(-MESSAGES_MOST);
  let characters = 0;
  const tooOld = messages.findLastIndex((message) => {
    characters += JSON.stringify(message.content).length;
    return characters > CHARACTERS_MOST;
  });
  return messages.slice(tooOld + 1);
}

/**
 * The key of a session: `wh:session:<phone with +>` for the default merchant, else with the merchant before it; a person without
 * a phone number goes by user id.
 */
export function sessionKey(
  merchantId: string,
  contact: { id: string; phone?: string; userId?: string },
): string {
  const phone =
    contact.phone === undefined || contact.phone.startsWith('+') ? contact.phone : `+${contact.phone}`;
  const person = phone ?? contact.userId ?? contact.id;
  return merchantId === DEFAULT_MERCHANT_ID ? `wh:session:${person}` : `wh:session:${merchantId}:${person}`;
}
