import type { ContactRow } from '../contacts/contact-store.ts';
import type { Executor } from '../database/scope.ts';
import type { Handler } from './handler.ts';

/** Which conversations. */
export interface ConversationFilter {
  merchantId: string;
  handler?: Handler | undefined;
  /** Whoever has it. */
  handlerUserId?: string | undefined;
  senderId?: string | undefined;
  unread?: boolean | undefined;
  tag?: string | undefined;
}

/** Where a page begins: after this one. */
export interface ConversationPlace {
  lastInboundAtMs: number;
  id: string;
}

/** Lists the contacts that have written, who wrote last first. @returns at most `limit`. */
export async function listConversations(
  db: Executor,
  filter: ConversationFilter,
  { after, limit, nowMs }: { after: ConversationPlace | undefined; limit: number; nowMs: number },
): Promise<ContactRow[]> {
  const { merchantId, handler, handlerUserId, senderId, unread, tag } = filter;
  let rows = db
    .selectFrom('contacts')
    .selectAll()
    .where('merchantId', '=', merchantId)
    .where('lastInboundAtMs', 'is not', null);
  if (handler === 'person')
    rows = rows
      .where('handler', '=', 'person')
      .where((eb) => eb.or([eb('handlerUntilMs', 'is', null), eb('handlerUntilMs', '>', nowMs)]));
  if (handler === 'automation')
    rows = rows.where((eb) => eb.or([eb('handler', 'is', null), eb('handlerUntilMs', '<=', nowMs)]));
  if (handlerUserId !== undefined) rows = rows.where('handlerUserId', '=', handlerUserId);
  if (unread !== undefined) rows = rows.where('unreadCount', unread ? '>' : '=', 0);
  if (tag !== undefined)
    rows = rows.where('id', 'in', (inner) =>
      inner
        .selectFrom('contact_tags')
        .select('contactId')
        .where('merchantId', '=', merchantId)
        .where('tag', '=', tag),
    );
  // Asked of each contact in turn: nothing lists the contacts of a number.
  if (senderId !== undefined)
    rows = rows.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('conversations as v')
          .select('v.contactId')
          .whereRef('v.contactId', '=', 'contacts.id')
          .where('v.senderId', '=', senderId),
      ),
    );
  if (after)
    rows = rows.where((eb) =>
      eb.or([
        eb('lastInboundAtMs', '<', after.lastInboundAtMs),
        eb.and([eb('lastInboundAtMs', '=', after.lastInboundAtMs), eb('id', '<', after.id)]),
      ]),
    );
  return await rows.orderBy('lastInboundAtMs', 'desc').orderBy('id', 'desc').limit(limit).execute();
}
