import { insertIgnore } from '@switchyard/database';
import type { GroupCommit } from '../database/group-commit.ts';
import type { Dialect, Executor, Scope, Store } from '../database/scope.ts';
import { valueByKey } from '../database/value-by-key.ts';
import type { Candidate } from '../messages/message-candidate.ts';
import type { DueNotes } from '../pacing/due-notes.ts';
import type { Verdict } from './decide-after-call.ts';
import type { Decision } from './decide-before-call.ts';
import { notifyOrigin } from './notify-origin.ts';
import { settleUnsent, tellFailure } from './settle-unsent.ts';

/** A call about to be made: its row is written. */
export interface BegunAttempt {
  attempt: number;
  startedAtMs: number;
}

/** The rows around a call. Concurrent calls share transactions. */
export interface AttemptStore {
  /** Writes the intent. @returns undefined when somebody else has taken the message meanwhile. */
  begin(candidate: Candidate): Promise<BegunAttempt | undefined>;
  /** Writes how the call ended. A message that a receipt has settled meanwhile keeps its state. */
  finish(candidate: Candidate, begun: BegunAttempt, verdict: Verdict): Promise<void>;
  /** Writes the end of a message that is not called for. @returns false when somebody else was faster. */
  settle(candidate: Candidate, decision: Extract<Decision, { kind: 'settle' }>): Promise<boolean>;
  /** Leaves the message queued until then. */
  postpone(candidate: Candidate, untilMs: number): Promise<void>;
}

const BATCH_SIZE = 100;

interface Finish {
  candidate: Candidate;
  begun: BegunAttempt;
  verdict: Verdict;
}

/**
 * Makes the store of attempts.
 *
 * @param store campaign-sender's database. @param group the transactions to share. @param notes told of what went back to SQL to wait.
 */
export function createAttemptStore(store: Store, group: GroupCommit, notes: DueNotes): AttemptStore {
  const { inScope, now } = store;
  const finishBatch = group.batcher<Finish, true>({
    maxItems: BATCH_SIZE,
    async run(scope, ends) {
      await finishAttempts(scope, ends, now());
      return ends.map(() => true as const);
    },
  });
  const beginBatch = group.batcher<Candidate, BegunAttempt | undefined>({
    maxItems: BATCH_SIZE,
    run: ({ trx }, candidates) => beginAttempts(trx, store.dialect, candidates, now()),
  });
  const postponeBatch = group.batcher<Postponed, true>({
    maxItems: BATCH_SIZE,
    async run({ trx }, postponed) {
      await postponeMessages(trx, postponed, now());
      return postponed.map(() => true as const);
    },
  });
  return {
    begin: (candidate) => beginBatch.submit(candidate),
    async finish(candidate, begun, verdict) {
      await finishBatch.submit({ candidate, begun, verdict });
      const { message } = verdict;
      if (message.state === 'queued') notes.add(candidate.senderId, message.wakeAtMs);
    },
    settle: (candidate, decision) => inScope((scope) => settleUnsent(scope, store, candidate, decision)),
    async postpone(candidate, untilMs) {
      const { expiresAtMs } = candidate;
      // Woken when its time to live is over, it ends then and not when it would have been its turn.
      const atMs = Math.ceil(expiresAtMs === null ? untilMs : Math.min(untilMs, expiresAtMs));
      await postponeBatch.submit({ candidate, atMs });
      notes.add(candidate.senderId, atMs);
    },
  };
}

interface Postponed {
  candidate: Candidate;
  atMs: number;
}

async function postponeMessages(
  trx: Executor,
  postponed: readonly Postponed[],
  nowMs: number,
): Promise<void> {
  const by = <T>(read: (each: Postponed) => T) =>
    valueByKey(
      'id',
      postponed.map((each) => [each.candidate.id, read(each)] as const),
    );
  await trx
    .updateTable('messages')
    .set({ nextAttemptAtMs: by(({ atMs }) => atMs), updatedAtMs: nowMs })
    .where(
      'id',
      'in',
      postponed.map(({ candidate }) => candidate.id),
    )
    .where('state', '=', 'queued')
    .where(
      'attempts',
      '=',
      by(({ candidate }) => candidate.attempts),
    )
    .execute();
}

/** Thrown to have a batch done one by one; a transaction that throws leaves nothing behind. */
const someoneWasFaster = new Error('another process has taken a message of this batch');

async function beginAttempts(
  trx: Executor,
  dialect: Dialect,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<(BegunAttempt | undefined)[]> {
  const next = candidates.map(({ id, attempts }) => [id, attempts + 1] as const);
  const attempts = valueByKey('id', next);
  const { numUpdatedRows } = await trx
    .updateTable('messages')
    .set({ state: 'sending', attempts, nextAttemptAtMs: null, updatedAtMs: nowMs })
    .where('id', 'in', [...new Set(next.map(([id]) => id))])
    .where('state', '=', 'queued')
    .where(
      'attempts',
      '=',
      valueByKey(
        'id',
        candidates.map(({ id, attempts: before }) => [id, before] as const),
      ),
    )
    .executeTakeFirst();
  if (Number(numUpdatedRows) !== candidates.length) {
    if (candidates.length === 1) return [undefined];
    throw someoneWasFaster;
  }
  const rows = candidates.map((each) => ({
    messageId: each.id,
    attempt: each.attempts + 1,
    senderId: each.senderId!,
    state: 'open' as const,
    startedAtMs: nowMs,
    unknownSinceMs: null,
    endedAtMs: null,
    providerMessageId: null,
    errorCode: null,
    cause: null,
  }));
  const inserted = await insertIgnore(trx, dialect, 'message_attempts', rows, ['messageId', 'attempt']);
  if (inserted !== rows.length) throw new Error('a call has been begun twice');
  return candidates.map((each) => ({ attempt: each.attempts + 1, startedAtMs: nowMs }));
}

async function finishAttempts(scope: Scope, ends: readonly Finish[], nowMs: number): Promise<void> {
  const { trx, enqueue } = scope;
  const accepted = ends.filter(({ verdict }) => verdict.message.state === 'accepted');
  // Messages before attempts, here as in receipts: one order of locks.
  if (accepted.length > 0) await acceptMessages(trx, accepted, nowMs);
  for (const end of ends) if (end.verdict.message.state !== 'accepted') await moveMessage(scope, end, nowMs);
  const others = ends.filter(({ verdict }) => verdict.message.state !== 'accepted');
  // Apart, since those that were accepted differ in nothing but the provider's id.
  if (accepted.length > 0) await closeAttempts(trx, accepted, nowMs);
  if (others.length > 0) await closeAttempts(trx, others, nowMs);
  for (const { candidate } of accepted) notifyOrigin(enqueue, candidate, 'accepted', undefined, nowMs);
}

async function acceptMessages(trx: Executor, ends: readonly Finish[], nowMs: number): Promise<void> {
  const ids = ends.map(({ candidate }) => candidate.id);
  const providerMessageId = valueByKey(
    'id',
    ends.map(({ candidate, verdict }) => [candidate.id, verdict.attempt.providerMessageId] as const),
  );
  await trx
    .updateTable('messages')
    .set({
      state: 'accepted',
      providerMessageId,
      nextAttemptAtMs: null,
      updatedAtMs: nowMs,
    })
    .where('id', 'in', ids)
    .where('state', 'in', ['queued', 'sending', 'parked'])
    // A receipt was faster, and has failed this very call: the message goes out again.
    .where((eb) =>
      eb.or([eb('providerMessageId', 'is', null), eb('providerMessageId', '!=', providerMessageId)]),
    )
    .execute();
}

async function moveMessage(
  scope: Scope,
  { candidate, begun, verdict }: Finish,
  nowMs: number,
): Promise<void> {
  const { message } = verdict;
  if (message.state === 'accepted') return;
  const isFailed = message.state === 'failed';
  const { numUpdatedRows } = await scope.trx
    .updateTable('messages')
    .set({
      state: message.state,
      failures: candidate.failures + (isFailed || (message.state === 'queued' && message.isTry) ? 1 : 0),
      nextAttemptAtMs: isFailed ? null : Math.ceil(message.wakeAtMs),
      updatedAtMs: nowMs,
      ...(isFailed ? { failureCode: message.code, failureReason: message.reason.slice(0, 500) } : {}),
    })
    .where('id', '=', candidate.id)
    .where('state', 'in', ['sending', 'parked'])
    .where('attempts', '=', begun.attempt)
    .executeTakeFirst();
  if (isFailed && Number(numUpdatedRows) === 1)
    await tellFailure(scope, candidate, begun.attempt, message, nowMs, 'the provider refused');
}

async function closeAttempts(trx: Executor, ends: readonly Finish[], nowMs: number): Promise<void> {
  const by = <T>(read: (end: Finish) => T) =>
    valueByKey(
      'messageId',
      ends.map((end) => [end.candidate.id, read(end)] as const),
    );
  await trx
    .updateTable('message_attempts')
    .set({
      state: by(({ verdict }) => verdict.attempt.state),
      endedAtMs: by(({ verdict }) => (verdict.attempt.state === 'parked' ? null : nowMs)),
      unknownSinceMs: by(({ verdict }) => (verdict.attempt.state === 'parked' ? nowMs : null)),
      providerMessageId: by(({ verdict }) => verdict.attempt.providerMessageId),
      errorCode: by(({ verdict }) => verdict.attempt.errorCode),
      cause: by(({ verdict }) => verdict.attempt.cause),
    })
    .where(
      'messageId',
      'in',
      ends.map(({ candidate }) => candidate.id),
    )
    .where(
      'attempt',
      '=',
      by(({ begun }) => begun.attempt),
    )
    // A receipt may have settled it, or the reconciler parked it, before the answer came.
    .where('state', 'in', ['open', 'parked', 'unknown'])
    .execute();
}
