import type { Selectable } from 'kysely';
import type { InboundMediaTable } from '../database/people-tables.ts';
import type { Executor } from '../database/scope.ts';
import { type MessageRow, selectMessages } from '../messages/message-rows.ts';

/** A file's row. */
export type MediaRow = Selectable<InboundMediaTable>;

/**
 * Reads the messages of a contact, both ways, the latest first, in the order in which we accepted them.
 *
 * @param before the message to go on after. @returns at most `limit`.
 */
export async function readMessages(
  db: Executor,
  contactId: string,
  { before, limit }: { before: string | undefined; limit: number },
): Promise<MessageRow[]> {
  const anchor =
    before === undefined
      ? undefined
      : await db
          .selectFrom('messages')
          .select('createdAtMs')
          .where('id', '=', before)
          .where('contactId', '=', contactId)
          .executeTakeFirst();
  let rows = selectMessages(db).where('contactId', '=', contactId);
  // Not every id sorts by time: a caller may give one of his own.
  if (before !== undefined && anchor)
    rows = rows.where((where) =>
      where.or([
        where('createdAtMs', '<', anchor.createdAtMs),
        where.and([where('createdAtMs', '=', anchor.createdAtMs), where('id', '<', before)]),
      ]),
    );
  return await rows.orderBy('createdAtMs', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

/** The files of messages. @returns by message. */
export async function readMediaOf(
  db: Executor,
  messageIds: readonly string[],
): Promise<Map<string, MediaRow>> {
  if (messageIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('inbound_media')
    .selectAll()
    .where('messageId', 'in', messageIds)
    .execute();
  return new Map(rows.map((row) => [row.messageId, row]));
}

/** The latest message of each contact, in two statements. */
export async function readLatest(
  db: Executor,
  contactIds: readonly string[],
): Promise<Map<string, MessageRow>> {
  if (contactIds.length === 0) return new Map();
  const times = await db
    .selectFrom('messages')
    .select(['contactId', (eb) => eb.fn.max('createdAtMs').as('atMs')])
    .where('contactId', 'in', contactIds)
    .groupBy('contactId')
    .execute();
  if (times.length === 0) return new Map();
  const rows = await selectMessages(db)
    .where((eb) =>
      eb.or(
        times.map(({ contactId, atMs }) =>
          eb.and([eb('contactId', '=', contactId), eb('createdAtMs', '=', Number(atMs))]),
        ),
      ),
    )
    .orderBy('id')
    .execute();
  return new Map(rows.map((row) => [row.contactId!, row]));
}
