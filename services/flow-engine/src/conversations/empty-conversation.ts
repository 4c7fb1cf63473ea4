import type { ConversationsTable } from '../database/tables.ts';
import type { ContactKey } from './create-inbox.ts';

/** The conversation of a contact of whom nothing has been heard yet. */
export function emptyConversation({ merchantId, contactId }: ContactKey, nowMs: number): ConversationsTable {
  return {
    merchantId,
    contactId,
    lastSequence: 0,
    session: '[]',
    sessionUpdatedAtMs: nowMs,
    sendQueue: null,
    sendQueueDueAtMs: null,
    handler: null,
    handlerUntilMs: null,
    busyRunId: null,
    busyUntilMs: null,
    mergedIntoId: null,
  };
}
