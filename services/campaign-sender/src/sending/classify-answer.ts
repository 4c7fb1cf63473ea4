/** What the provider said, or that it can't be known. */
export type Answer =
  | { kind: 'accepted'; providerMessageId: string; messageStatus?: string; userId?: string; waId?: string }
  | { kind: 'rejected'; code: number; details: string }
  | { kind: 'unknown'; cause: string };

interface AnswerBody {
  messages?: { id?: unknown; message_status?: unknown }[];
  contacts?: { wa_id?: unknown; user_id?: unknown }[];
  error?: { code?: unknown; message?: unknown; error_data?: { details?: unknown } };
}

/**
 * Reads an answer of `POST /{number}/messages`.
 *
 * Only what can be parsed as the provider's own words is an answer: a gateway's HTML page with status 502 tells nothing of
 * what became of the message.
 *
 * @param status the HTTP status.
 * @param text the body, whole.
 */
export function classifyAnswer(status: number, text: string): Answer {
  let body: AnswerBody | null;
  try {
    body = JSON.parse(text) as AnswerBody | null;
  } catch {
    return { kind: 'unknown', cause: `HTTP ${status} without a readable body` };
  }
  const error = body?.error;
  if (typeof error === 'object' && error !== null && typeof error.code === 'number') {
    const details = error.error_data?.details ?? error.message;
    return { kind: 'rejected', code: error.code, details: typeof details === 'string' ? details : '' };
  }
  const message = Array.isArray(body?.messages) ? body.messages[0] : undefined;
  if (status >= 200 && status < 300 && typeof message?.id === 'string' && message.id !== '') {
    const contact = Array.isArray(body?.contacts) ? body.contacts[0] : undefined;
    return {
      kind: 'accepted',
      providerMessageId: message.id,
      ...(typeof message.message_status === 'string' ? { messageStatus: message.message_status } : {}),
      ...(typeof contact?.wa_id === 'string' ? { waId: contact.wa_id } : {}),
      ...(typeof contact?.user_id === 'string' ? { userId: contact.user_id } : {}),
    };
  }
  return { kind: 'unknown', cause: `HTTP ${status} with a body that is not the provider's` };
}
