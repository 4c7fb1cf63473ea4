import type { Executor } from '../database/scope.ts';
import type { Origin } from '../messages/message-candidate.ts';
import type { InboundContent } from './inbound-content.ts';

/**
 * Finds the campaigns whose messages are answered, in one statement; none where no message quotes another.
 *
 * @returns campaigns by the provider's id of the message that is quoted.
 */
export async function findAnswered(
  executor: Executor,
  contents: readonly InboundContent[],
): Promise<Map<string, string>> {
  const quoted = [
    ...new Set(
      contents.flatMap(({ contextId }) => (contextId && contextId.length <= 191 ? [contextId] : [])),
    ),
  ];
  if (quoted.length === 0) return new Map();
  const rows = await executor
    .selectFrom('message_attempts as a')
    .innerJoin('messages as m', 'm.id', 'a.messageId')
    .select(['a.providerMessageId', 'm.origin'])
    .where('a.providerMessageId', 'in', quoted)
    .where('m.lane', '=', 'campaign')
    .execute();
  return new Map(
    rows.flatMap(({ providerMessageId, origin }) => {
      const asked = origin === null ? null : (JSON.parse(origin) as Origin);
      return asked?.kind === 'campaign' && providerMessageId !== null
        ? [[providerMessageId, asked.campaignId] as const]
        : [];
    }),
  );
}
