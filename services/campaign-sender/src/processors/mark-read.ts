import type { JobPayload, Processor } from '@switchyard/jobs';
import { showRead } from '../conversations/show-read.ts';
import type { Executor } from '../database/scope.ts';
import type { GraphApi } from '../graph/graph-api.ts';
import type { SenderDirectory } from '../senders/sender-directory.ts';

/**
 * `messages`/mark-read. A tick is not worth waiting for: of a number that is paused, or has no token, none is shown, and what the provider
 * refuses is let be. While it is away the job's attempts are spent.
 */
export function createMarkRead(parts: {
  db: Executor;
  senders: Pick<SenderDirectory, 'byId'>;
  graph: Pick<GraphApi, 'post'>;
}): Processor<JobPayload<'messages', 'mark-read'>, { shown: boolean }> {
  const { db, senders, graph } = parts;
  return async ({ merchantId, messageId, typing }, { logger }) => {
    const row = await db
      .selectFrom('messages')
      .select(['senderId', 'providerMessageId'])
      .where('id', '=', messageId)
      .where('merchantId', '=', merchantId)
      .where('direction', '=', 'in')
      .executeTakeFirst();
    if (!row?.providerMessageId || row.senderId === null) return { shown: false };
    const sender = await senders.byId(row.senderId);
    if (sender?.accessToken === undefined || sender.isPaused) return { shown: false };
    const { phoneNumberId, accessToken } = sender;
    const answer = await showRead(graph, { phoneNumberId, accessToken }, row.providerMessageId, typing);
    if (answer.kind === 'away') throw new Error(`the provider does not answer: ${answer.cause}`);
    if (answer.kind === 'refused')
      logger.warn({ messageId, code: answer.code }, 'the provider does not show that a message was read');
    return { shown: answer.kind === 'ok' };
  };
}
