import type { Logger } from 'pino';
import type { Store } from '../database/scope.ts';
import type { GraphAnswer, GraphApi } from '../graph/graph-api.ts';
import type { ManagementGraph } from '../graph/manage-graph.ts';
import { resumeSender } from './pause-senders.ts';
import type { Sender, SenderDirectory } from './sender-directory.ts';

const PROBED_AT_ONCE = 20;
const SHORTEST_PAUSE_MS = 5 * 60_000;
const LONGEST_PAUSE_MS = 6 * 3_600_000;
const INVALID_FIELD = 100;

/** What probing needs. */
export interface ProbingParts {
  store: Store;
  graph: ManagementGraph;
  senders: Pick<SenderDirectory, 'byId' | 'forget'>;
  logger: Logger;
}

/**
 * Asks the provider about paused numbers that are due, and resumes those it says may send; the others are asked about again after growing
 * pauses, up to six hours. A look-up costs one management call and sends nothing.
 *
 * @returns how many were resumed.
 */
export async function probePaused({ store, graph, senders, logger }: ProbingParts): Promise<number> {
  const nowMs = store.now();
  const due = await store.db
    .selectFrom('senders')
    .select(['id', 'merchantId', 'probes', 'pauseCode'])
    .where('state', '=', 'paused')
    .where('probeAtMs', '<=', nowMs)
    .orderBy('probeAtMs')
    .limit(PROBED_AT_ONCE)
    .execute();
  let resumed = 0;
  for (const { id, merchantId, probes, pauseCode } of due) {
    const sender = await senders.byId(id);
    if (sender && (await maySend(graph.of(sender), sender))) {
      await store.inScope((scope) => resumeSender(scope, merchantId, id, 'a probe', store.now()));
      senders.forget();
      resumed += 1;
      logger.info({ senderId: id, pauseCode }, 'a paused number may send again');
      continue;
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(probes ?? 0, 10));
    await store.db
      .updateTable('senders')
      .set({ probes: (probes ?? 0) + 1, probeAtMs: store.now() + pauseMs })
      .where('id', '=', id)
      .where('state', '=', 'paused')
      .execute();
  }
  return resumed;
}

/** Whether the provider shows the number to our token and doesn't say that it is blocked. */
async function maySend(
  graph: Pick<GraphApi, 'get'>,
  { phoneNumberId, accessToken }: Pick<Sender, 'phoneNumberId' | 'accessToken'>,
): Promise<boolean> {
  if (accessToken === undefined) return false;
  const ask = (fields: string): Promise<GraphAnswer> =>
    graph.get(encodeURIComponent(phoneNumberId), accessToken, { fields });
  let answer = await ask('id,status,health_status');
  if (answer.kind === 'refused' && answer.code === INVALID_FIELD) answer = await ask('id');
  if (answer.kind !== 'ok') return false;
  const { status, health_status: health } = answer.body as {
    status?: string;
    health_status?: { can_send_message?: string };
  };
  return (
    health?.can_send_message !== 'BLOCKED' && !['BANNED', 'DELETED', 'DISCONNECTED'].includes(status ?? '')
  );
}
