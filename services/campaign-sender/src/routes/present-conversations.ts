import type { ContactRow } from '../contacts/contact-store.ts';
import { activeHandler } from '../conversations/handler.ts';
import type { ConversationPlace } from '../conversations/list-conversations.ts';
import { readLatest } from '../conversations/read-messages.ts';
import type { Executor, Store } from '../database/scope.ts';
import { cursorInvalid } from '../errors.ts';
import { parseCursor } from './cursor.ts';
import { findContact } from './find-contact.ts';
import { presentMessage } from './message-routes.ts';

/** Conversations as the API shows them, by contact. Two or three statements, whatever their number. */
export async function presentConversations(db: Executor, contacts: readonly ContactRow[], nowMs: number) {
  const ids = contacts.map(({ id }) => id);
  const latest = await readLatest(db, ids);
  const windows =
    ids.length === 0
      ? []
      : await db
          .selectFrom('conversations')
          .select(['contactId', 'senderId', 'windowExpiresAtMs'])
          .where('contactId', 'in', ids)
          .execute();
  return new Map(
    contacts.map((row) => {
      const { id, name, phone, userId, username, unreadCount, lastInboundAtMs } = row;
      const handler = activeHandler(row, nowMs);
      const isPerson = handler === 'person';
      const last = latest.get(id);
      return [
        id,
        {
          ...{ id, name, phone, userId, username, optedOut: row.optedOut === 1, handler },
          handlerUserId: isPerson ? row.handlerUserId : null,
          handlerReason: isPerson ? row.handlerReason : null,
          handlerSinceMs: isPerson ? row.handlerSinceMs : null,
          handlerUntilMs: isPerson ? row.handlerUntilMs : null,
          ...{ unreadCount, lastInboundAtMs },
          windows: windows
            .filter(({ contactId }) => contactId === id)
            .map(({ senderId, windowExpiresAtMs }) => ({ senderId, windowExpiresAtMs })),
          lastMessage: last ? presentMessage(last) : null,
        },
      ] as const;
    }),
  );
}

/** Reads the cursor of the list of conversations. @throws CURSOR_INVALID */
export function parsePlace(cursor: string | undefined): ConversationPlace | undefined {
  const text = parseCursor(cursor);
  if (text === undefined) return undefined;
  const [, lastInboundAtMs, id] = /^(\d{1,15})\.(.+)$/.exec(text) ?? [];
  if (lastInboundAtMs === undefined || id === undefined)
    throw cursorInvalid('this cursor was not returned by this list');
  return { lastInboundAtMs: Number(lastInboundAtMs), id };
}

/** One conversation as the API shows it, as it is now. @throws RECORD_UNKNOWN */
export async function viewConversation({ db, now }: Store, merchantId: string, id: string) {
  const contact = await findContact(db, merchantId, id);
  return (await presentConversations(db, [contact], now())).get(contact.id)!;
}
