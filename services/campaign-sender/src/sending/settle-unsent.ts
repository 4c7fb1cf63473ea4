import { insertIgnore } from '@switchyard/database';
import type { Executor, Scope, Store } from '../database/scope.ts';
import { publishEvents } from '../messages/merchant-events.ts';
import type { Candidate } from '../messages/message-candidate.ts';
import type { MessageState } from '../messages/message-state.ts';
import type { Decision } from './decide-before-call.ts';
import { notifyOrigin } from './notify-origin.ts';

/**
 * Writes the end of a message that is not called for, or of a parked one that is given up.
 *
 * @returns false when somebody else was faster.
 */
export async function settleUnsent(
  scope: Scope,
  store: Store,
  candidate: Candidate,
  decision: Extract<Decision, { kind: 'settle' }>,
): Promise<boolean> {
  const nowMs = store.now();
  const { state, code, reason } = decision;
  const { numUpdatedRows } = await scope.trx
    .updateTable('messages')
    .set({ state, failureCode: code, failureReason: reason, nextAttemptAtMs: null, updatedAtMs: nowMs })
    .where('id', '=', candidate.id)
    .where('state', '=', candidate.state)
    .where('attempts', '=', candidate.attempts)
    .executeTakeFirst();
  if (Number(numUpdatedRows) === 0) return false;
  if (candidate.state === 'parked')
    await scope.trx
      .updateTable('message_attempts')
      .set({ state: 'unknown', endedAtMs: nowMs })
      .where('messageId', '=', candidate.id)
      .where('attempt', '=', candidate.attempts)
      .where('state', '=', 'parked')
      .execute();
  if (state === 'failed')
    await tellFailure(scope, candidate, candidate.attempts, decision, nowMs, 'we decided');
  else {
    await addDecision(scope.trx, store.dialect, candidate, state, candidate.attempts, decision, nowMs);
    notifyOrigin(scope.enqueue, candidate, state, code, nowMs);
  }
  return true;
}

async function addDecision(
  trx: Executor,
  dialect: Store['dialect'],
  candidate: Candidate,
  state: MessageState,
  attempt: number,
  { code, reason }: { code: string; reason: string },
  nowMs: number,
): Promise<void> {
  await insertIgnore(
    trx,
    dialect,
    'message_timeline',
    [
      {
        messageId: candidate.id,
        state,
        attempt,
        occurredAtMs: nowMs,
        recordedAtMs: nowMs,
        cause: 'decision',
        code,
        detail: reason.slice(0, 500),
      },
    ],
    ['messageId', 'state', 'attempt'],
  );
}

/** Notes a failure and tells the flow that asked and the merchant. */
export async function tellFailure(
  scope: Scope,
  candidate: Candidate,
  attempt: number,
  { code, reason }: { code: string; reason: string },
  nowMs: number,
  cause: string,
): Promise<void> {
  await scope.trx
    .insertInto('message_timeline')
    .values({
      messageId: candidate.id,
      state: 'failed',
      attempt,
      occurredAtMs: nowMs,
      recordedAtMs: nowMs,
      cause,
      code,
      detail: reason.slice(0, 500),
    })
    .execute();
  notifyOrigin(scope.enqueue, candidate, 'failed', code, nowMs);
  publishEvents(scope.enqueue, candidate.merchantId, [
    {
      id: `${candidate.id}_failed`,
      type: 'message.failed',
      occurredAtMs: nowMs,
      data: { messageId: candidate.id, contactId: candidate.contactId, code, reason },
    },
  ]);
}
