import { sql } from 'kysely';
import type { Executor } from '../database/scope.ts';
import type { Origin } from '../messages/message-candidate.ts';
import type { MessageState } from '../messages/message-state.ts';

/** A contact, and since when a campaign's message to it counts. */
export interface PossibleReply {
  contactId: string;
  sinceMs: number;
}

/** Taken by the provider, as far as is known: only such a message can be answered. */
const arrived: readonly MessageState[] = ['accepted', 'sent', 'delivered', 'read', 'played'];

/**
 * Finds the campaigns that messages answer which quote nothing: the last one that wrote to the person lately, unless a flow or a person
 * has written since, for then the conversation has moved on. Messages of the API, such as an order's, do not come in between.
 *
 * One statement for all contacts, which reads their messages since then in an index, and another one where there is a campaign.
 *
 * @returns campaigns by contact.
 */
export async function findRecentCampaigns(
  executor: Executor,
  replies: readonly PossibleReply[],
): Promise<Map<string, string>> {
  if (replies.length === 0) return new Map();
  const since = new Map(replies.map(({ contactId, sinceMs }) => [contactId, sinceMs]));
  const isTalk = sql<boolean>`origin like '%"kind":"flow"%' or origin like '%"kind":"person"%'`;
  const rows = await executor
    .selectFrom('messages')
    .select(['contactId'])
    .select((eb) => [
      eb.fn.max(eb.case().when('lane', '=', 'campaign').then(eb.ref('createdAtMs')).end()).as('campaignAtMs'),
      eb.fn.max(eb.case().when(isTalk).then(eb.ref('createdAtMs')).end()).as('talkAtMs'),
    ])
    .where('contactId', 'in', [...since.keys()])
    .where('createdAtMs', '>', Math.min(...since.values()))
    .where('direction', '=', 'out')
    .where('state', 'in', arrived)
    .groupBy('contactId')
    .execute();
  const recent = rows.flatMap(({ contactId, campaignAtMs, talkAtMs }) => {
    if (contactId === null || campaignAtMs === null) return [];
    const atMs = Number(campaignAtMs);
    return atMs > since.get(contactId)! && atMs >= Number(talkAtMs ?? 0) ? [{ contactId, atMs }] : [];
  });
  if (recent.length === 0) return new Map();
  const found = await executor
    .selectFrom('messages')
    .select(['contactId', 'origin'])
    .where((eb) =>
      eb.or(
        recent.map(({ contactId, atMs }) =>
          eb.and([eb('contactId', '=', contactId), eb('createdAtMs', '=', atMs)]),
        ),
      ),
    )
    .where('lane', '=', 'campaign')
    .where('state', 'in', arrived)
    .execute();
  return new Map(
    found.flatMap(({ contactId, origin }) => {
      const asked = origin === null ? null : (JSON.parse(origin) as Origin);
      return asked?.kind === 'campaign' && contactId !== null ? [[contactId, asked.campaignId] as const] : [];
    }),
  );
}
