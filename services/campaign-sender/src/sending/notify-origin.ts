import type { Scope } from '../database/scope.ts';
import type { Candidate } from '../messages/message-candidate.ts';

/** Ends that a flow can wait for. */
export type MessageOutcome = 'accepted' | 'failed' | 'skipped' | 'expired';

/**
 * Tells the flow that asked for a message how it ended, if it wants to know. The same end may be told twice (by the answer and by a
 * receipt); the job's id makes it one.
 */
export function notifyOrigin(
  enqueue: Scope['enqueue'],
  message: Pick<Candidate, 'id' | 'merchantId' | 'origin'>,
  outcome: MessageOutcome,
  reason: string | undefined,
  decidedAtMs: number,
): void {
  const { id, merchantId, origin } = message;
  if (origin?.kind !== 'flow' || !origin.notifyOutcome) return;
  enqueue({
    queue: 'flows',
    name: 'record-message-outcome',
    payload: {
      merchantId,
      runId: origin.runId,
      stepId: origin.stepId,
      messageId: id,
      outcome,
      ...(reason === undefined ? {} : { reason }),
      decidedAtMs,
    },
    meta: { merchantId },
  });
}
