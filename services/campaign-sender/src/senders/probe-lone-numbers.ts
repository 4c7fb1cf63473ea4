import type { Store } from '../database/scope.ts';
import type { ManagementGraph } from '../graph/manage-graph.ts';
import { probeNumber } from './probe-number.ts';
import type { SenderDirectory } from './sender-directory.ts';

const PROBED_AT_ONCE = 20;

/**
 * Asks the provider about numbers whose account is not known, each once per interval: the others come with their account's list. What
 * could not be asked is asked at the next turn.
 *
 * @returns how many were asked about.
 */
export async function probeLoneNumbers(
  store: Store,
  graph: ManagementGraph,
  senders: Pick<SenderDirectory, 'byId' | 'forget'>,
  intervalMs: number,
  signal: AbortSignal,
): Promise<number> {
  const due = await store.db
    .selectFrom('senders')
    .select('id')
    .where('wabaId', 'is', null)
    .where('accessToken', 'is not', null)
    .where((eb) => eb.or([eb('probedAtMs', 'is', null), eb('probedAtMs', '<=', store.now() - intervalMs)]))
    .orderBy('probedAtMs')
    .limit(PROBED_AT_ONCE)
    .execute();
  for (const { id } of due) {
    if (signal.aborted) return 0;
    const sender = await senders.byId(id);
    if (sender) await probeNumber(store, graph.of(sender), sender);
  }
  if (due.length > 0) senders.forget();
  return due.length;
}
