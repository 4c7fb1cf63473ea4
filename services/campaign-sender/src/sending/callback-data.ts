/** One call to the provider. */
export interface AttemptKey {
  messageId: string;
  /** 1 for the first. */
  attempt: number;
}

/**
 * What is sent as `biz_opaque_callback_data` and comes back with every status: the only correlation when the answer to the
 * call was lost.
 */
export function formatCallbackData({ messageId, attempt }: AttemptKey): string {
  return `${messageId}:${attempt}`;
}

/** Reads it back. @returns undefined for what another system has sent. */
export function parseCallbackData(text: unknown): AttemptKey | undefined {
  if (typeof text !== 'string') return undefined;
  const match = /^([A-Za-z0-9._-]{1,191}):([1-9][0-9]{0,8})$/.exec(text);
  return match ? { messageId: match[1]!, attempt: Number(match[2]) } : undefined;
}
