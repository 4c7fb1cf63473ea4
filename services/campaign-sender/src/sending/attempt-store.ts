import { updateRows } from '@switchyard/database';
import type { GroupCommit } from '../database/group-commit.ts';
import type { Dialect, Executor, Scope, Store } from '../database/scope.ts';
import type { Candidate } from '../messages/message-candidate.ts';
import { recordMessages } from '../messages/record-messages.ts';
import type { WaitReason } from '../messages/wait-reason.ts';
import type { DueNotes } from '../pacing/due-notes.ts';
import { type BegunAttempt, beginAttempts } from './begin-attempts.ts';
import type { Verdict } from './decide-after-call.ts';
import type { Unsent } from './decide-before-call.ts';
import { notifyOrigin } from './notify-origin.ts';
import { settleUnsent, tellFailure } from './settle-unsent.ts';

/** The rows around a call. Concurrent calls share transactions. */
export interface AttemptStore {
  /**
   * Writes the intent, and with it the message where that is not recorded yet. @returns the end of the message instead where the person has opted out since it was read, and undefined when
   * somebody else has taken it meanwhile.
   */
  begin(candidate: Candidate): Promise<BegunAttempt | Unsent | undefined>;
  /** Writes how the call ended. A message that a receipt has settled meanwhile keeps its state. */
  finish(candidate: Candidate, begun: BegunAttempt, verdict: Verdict): Promise<void>;
  /** Writes the end of a message that is not called for. @returns false when somebody else was faster. */
  settle(candidate: Candidate, decision: Unsent): Promise<boolean>;
  /** Leaves the message queued until then. */
  postpone(candidate: Candidate, untilMs: number, reason: WaitReason): Promise<void>;
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
      await finishAttempts(scope, store.dialect, ends, now());
      return ends.map(() => true as const);
    },
  });
  const beginBatch = group.batcher<Candidate, BegunAttempt | Unsent | undefined>({
    maxItems: BATCH_SIZE,
    async run({ trx }, candidates) {
      const begun = await beginAttempts(trx, store.dialect, candidates, now());
      return candidates.map((candidate) => begun.get(candidate));
    },
  });
  const postponeBatch = group.batcher<Postponed, true>({
    maxItems: BATCH_SIZE,
    async run({ trx }, postponed) {
      await postponeMessages(trx, store.dialect, postponed, now());
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
    settle: (candidate, decision) =>
      inScope(async (scope) => {
        await recordMissing(scope.trx, store.dialect, [candidate], now());
        return await settleUnsent(scope, store, candidate, decision);
      }),
    async postpone(candidate, untilMs, reason) {
      const { expiresAtMs } = candidate;
      // Woken when its time to live is over, it ends then and not when it would have been its turn.
      const atMs = Math.ceil(expiresAtMs === null ? untilMs : Math.min(untilMs, expiresAtMs));
      await postponeBatch.submit({ candidate, atMs, reason });
      notes.add(candidate.senderId, atMs);
    },
  };
}

interface Postponed {
  candidate: Candidate;
  atMs: number;
  reason: WaitReason;
}

async function postponeMessages(
  trx: Executor,
  dialect: Dialect,
  postponed: readonly Postponed[],
  nowMs: number,
): Promise<void> {
  const candidates = postponed.map(({ candidate }) => candidate);
  await recordMissing(trx, dialect, candidates, nowMs);
  await updateRows(
    trx,
    dialect,
    'messages',
    'id',
    postponed.map(({ candidate, atMs, reason }) => ({
      key: candidate.id,
      set: { nextAttemptAtMs: atMs, waitReason: reason, updatedAtMs: nowMs },
      match: { attempts: candidate.attempts },
    })),
    { state: ['queued'] },
  );
}

/** What is written of messages that do not go out now is written to their rows. */
async function recordMissing(
  trx: Executor,
  dialect: Dialect,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<void> {
  const missing = candidates.flatMap(({ unrecorded }) => unrecorded ?? []);
  if (missing.length > 0) await recordMessages(trx, dialect, missing, nowMs);
}

async function finishAttempts(
  scope: Scope,
  dialect: Dialect,
  ends: readonly Finish[],
  nowMs: number,
): Promise<void> {
  const { trx, enqueue } = scope;
  const accepted = ends.filter(({ verdict }) => verdict.message.state === 'accepted');
  // Messages before attempts, here as in receipts: one order of locks.
  if (accepted.length > 0) await acceptMessages(trx, dialect, accepted, nowMs);
  await putBackMessages(trx, dialect, ends, nowMs);
  for (const end of ends) if (end.verdict.message.state === 'failed') await failMessage(scope, end, nowMs);
  const others = ends.filter(({ verdict }) => verdict.message.state !== 'accepted');
  // Apart, since those that were accepted differ in nothing but the provider's id.
  if (accepted.length > 0) await closeAttempts(trx, dialect, accepted, nowMs);
  if (others.length > 0) await closeAttempts(trx, dialect, others, nowMs);
  for (const { candidate } of accepted) notifyOrigin(enqueue, candidate, 'accepted', undefined, nowMs);
}

async function acceptMessages(
  trx: Executor,
  dialect: Dialect,
  ends: readonly Finish[],
  nowMs: number,
): Promise<void> {
  const set = { state: 'accepted' as const, nextAttemptAtMs: null, updatedAtMs: nowMs };
  const inTime = ends.map(({ candidate, begun }) => ({
    key: candidate.id,
    set,
    match: { attempts: begun.attempt },
  }));
  const moved = await updateRows(trx, dialect, 'messages', 'id', inTime, { state: ['sending'] });
  if (moved === ends.length) return;
  // An answer counts, too, that comes when its call was given up; but not one to a call that a receipt has failed meanwhile: its message
  // goes out again.
  const failed = await readFailedCalls(trx, dialect, ends);
  const late = ends.filter(({ candidate, begun }) => !failed.has(`${candidate.id}:${begun.attempt}`));
  const updates = late.map(({ candidate }) => ({ key: candidate.id, set }));
  await updateRows(trx, dialect, 'messages', 'id', updates, { state: ['queued', 'sending', 'parked'] });
}

/** Calls that receipts have failed. The messages are locked first, as receipts do: what is read then stays so. */
async function readFailedCalls(
  trx: Executor,
  dialect: Dialect,
  ends: readonly Finish[],
): Promise<Set<string>> {
  const ids = ends.map(({ candidate }) => candidate.id).toSorted();
  const messages = trx.selectFrom('messages').select('id').where('id', 'in', ids).orderBy('id');
  if (dialect === 'mysql') await messages.forUpdate().execute();
  const rows = await trx
    .selectFrom('message_attempts')
    .select(['messageId', 'attempt'])
    .where('messageId', 'in', ids)
    .where('state', '=', 'failed')
    .execute();
  return new Set(rows.map(({ messageId, attempt }) => `${messageId}:${attempt}`));
}

/** Calls that end together, as those of a number that hangs do, are written together. */
async function putBackMessages(
  trx: Executor,
  dialect: Dialect,
  ends: readonly Finish[],
  nowMs: number,
): Promise<void> {
  const updates = ends.flatMap(({ candidate, begun, verdict: { message } }) => {
    if (message.state !== 'queued' && message.state !== 'parked') return [];
    const isFailure = message.state === 'queued' && message.isTry;
    return [
      {
        key: candidate.id,
        set: {
          state: message.state,
          failures: candidate.failures + (isFailure ? 1 : 0),
          nextAttemptAtMs: Math.ceil(message.wakeAtMs),
          waitReason: null,
          updatedAtMs: nowMs,
        },
        match: { attempts: begun.attempt },
      },
    ];
  });
  await updateRows(trx, dialect, 'messages', 'id', updates, { state: ['sending', 'parked'] });
}

async function failMessage(
  scope: Scope,
  { candidate, begun, verdict }: Finish,
  nowMs: number,
): Promise<void> {
  const { message } = verdict;
  if (message.state !== 'failed') return;
  const { numUpdatedRows } = await scope.trx
    .updateTable('messages')
    .set({
      state: message.state,
      failures: candidate.failures + 1,
      nextAttemptAtMs: null,
      updatedAtMs: nowMs,
      failureCode: message.code,
      failureReason: message.reason.slice(0, 500),
    })
    .where('id', '=', candidate.id)
    .where('state', 'in', ['sending', 'parked'])
    .where('attempts', '=', begun.attempt)
    .executeTakeFirst();
  if (Number(numUpdatedRows) === 1)
    await tellFailure(scope, candidate, begun.attempt, message, nowMs, 'the provider refused');
}

async function closeAttempts(
  trx: Executor,
  dialect: Dialect,
  ends: readonly Finish[],
  nowMs: number,
): Promise<void> {
  await updateRows(
    trx,
    dialect,
    'message_attempts',
    'messageId',
    ends.map(({ candidate, begun, verdict: { attempt } }) => ({
      key: candidate.id,
      set: {
        ...attempt,
        endedAtMs: attempt.state === 'parked' ? null : nowMs,
        unknownSinceMs: attempt.state === 'parked' ? nowMs : null,
      },
      match: { attempt: begun.attempt },
    })),
    // A receipt may have settled it, or the reconciler parked it, before the answer came.
    { state: ['open', 'parked', 'unknown'] },
  );
}
