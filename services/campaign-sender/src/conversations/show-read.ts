import type { GraphAnswer, GraphApi } from '../graph/graph-api.ts';
import type { Sender } from '../senders/sender-directory.ts';

/** Shows the person that a message of theirs, and all before it, was read; with `typing`, that an answer is being typed, for 25 s. */
export async function showRead(
  graph: Pick<GraphApi, 'post'>,
  { phoneNumberId, accessToken }: { phoneNumberId: Sender['phoneNumberId']; accessToken: string },
  providerMessageId: string,
  typing = false,
): Promise<GraphAnswer> {
  return await graph.post(`${encodeURIComponent(phoneNumberId)}/messages`, accessToken, {
    messaging_product: 'whatsapp',
    status: 'read',
    message_id: providerMessageId,
    ...(typing ? { typing_indicator: { type: 'text' } } : {}),
  });
}
