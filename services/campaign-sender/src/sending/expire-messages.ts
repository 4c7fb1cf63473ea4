import type { Store } from '../database/scope.ts';
import { loadCandidates } from '../messages/message-candidate.ts';
import type { AttemptStore } from './attempt-store.ts';
import { decideBeforeCall } from './decide-before-call.ts';

const BATCH_SIZE = 200;
/** Clocks of processes may differ by so much; what fell through is settled when its turn comes. */
const OVERLAP_MS = 10_000;

/**
 * Ends messages whose time to live is over while they wait, for whatever reason: a paused number, a long backlog.
 *
 * @returns what ends those of the time since its last run; the first run looks at all.
 */
export function expireMessages(store: Store, attempts: Pick<AttemptStore, 'settle'>): () => Promise<number> {
  let sinceMs = 0;
  return async () => {
    const nowMs = store.now();
    let ended = 0;
    for (;;) {
      const rows = await store.db
        .selectFrom('messages')
        .select('id')
        .where('expiresAtMs', '>', sinceMs)
        .where('expiresAtMs', '<=', nowMs)
        .where('state', '=', 'queued')
        .limit(BATCH_SIZE)
        .execute();
      if (rows.length > 0) {
        const ids = rows.map(({ id }) => id);
        for (const candidate of (await loadCandidates(store.db, ids)).values()) {
          const decision = decideBeforeCall(candidate, nowMs);
          if (decision.kind === 'settle') await attempts.settle(candidate, decision);
        }
        ended += rows.length;
      }
      if (rows.length < BATCH_SIZE) break;
    }
    sinceMs = nowMs - OVERLAP_MS;
    return ended;
  };
}
