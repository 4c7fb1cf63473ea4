import type { Selectable } from 'kysely';
import type { Executor } from '../database/scope.ts';
import type { MessagesTable } from '../database/tables.ts';

/** A message's row, with what its calls know of it. */
export type MessageRow = Selectable<MessagesTable> & {
  /** The provider's id of an outgoing message: that of its latest call which has one. */
  sentAs: string | null;
};

/**
 * Starts a query of whole messages, as the API shows them. The provider's ids of outgoing ones stay with their calls: a row that grows by
 * one would have to be moved within its page at every send.
 */
export function selectMessages(db: Executor) {
  return db
    .selectFrom('messages')
    .selectAll('messages')
    .select((eb) =>
      eb
        .selectFrom('message_attempts')
        .select('message_attempts.providerMessageId')
        .whereRef('message_attempts.messageId', '=', 'messages.id')
        .where('message_attempts.providerMessageId', 'is not', null)
        .orderBy('message_attempts.attempt', 'desc')
        .limit(1)
        .as('sentAs'),
    );
}
