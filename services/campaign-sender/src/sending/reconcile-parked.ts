import type { Store } from '../database/scope.ts';
import { valueByKey } from '../database/value-by-key.ts';
import { loadCandidates } from '../messages/message-candidate.ts';
import type { DueNotes } from '../pacing/due-notes.ts';
import type { AttemptStore } from './attempt-store.ts';

/** What is known of receipts that have come but have not been applied. */
export interface ReceiptsBacklog {
  /** When the oldest one was queued; undefined when all are applied. */
  oldestQueuedAtMs(): Promise<number | undefined>;
}

/** Times of the parking protocol. */
export interface ParkingTimes {
  /** HTTP time-out of a call. */
  timeoutMs: number;
  /** From a call's start until it may be given up. */
  graceMs: number;
  /** Longest parking of a message whose number has shown no later status. */
  parkedMaxMs: number;
  /** Pause before a parked message whose grace does not run is looked at again. */
  recheckMs: number;
}

const BATCH_SIZE = 500;
/** An open attempt is orphaned when it is older than the HTTP time-out and this: the time a living process needs to write the end. */
export const ORPHAN_MARGIN_MS = 5000;

/**
 * Parks the messages of calls whose process has died. A process that lives and is only slow loses nothing: its answer settles a
 * parked attempt too.
 *
 * @returns how many attempts were orphaned.
 */
export async function parkOrphans(store: Store, times: ParkingTimes): Promise<number> {
  const nowMs = store.now();
  const orphans = await store.db
    .selectFrom('messages as m')
    .innerJoin('message_attempts as a', (join) =>
      join.onRef('a.messageId', '=', 'm.id').onRef('a.attempt', '=', 'm.attempts'),
    )
    .select(['a.messageId', 'a.attempt', 'a.startedAtMs'])
    .where('m.state', '=', 'sending')
    .where('m.nextAttemptAtMs', '<', nowMs - times.timeoutMs - ORPHAN_MARGIN_MS)
    .where('a.state', '=', 'open')
    .limit(BATCH_SIZE)
    .execute();
  if (orphans.length === 0) return 0;
  const ids = orphans.map(({ messageId }) => messageId);
  await store.inScope(async ({ trx }) => {
    await trx
      .updateTable('messages')
      .set({
        state: 'parked',
        nextAttemptAtMs: valueByKey(
          'id',
          orphans.map(({ messageId, startedAtMs }) => [messageId, startedAtMs + times.graceMs] as const),
        ),
        updatedAtMs: nowMs,
      })
      .where('id', 'in', ids)
      .where('state', '=', 'sending')
      .where(
        'attempts',
        '=',
        valueByKey(
          'id',
          orphans.map(({ messageId, attempt }) => [messageId, attempt] as const),
        ),
      )
      .execute();
    await trx
      .updateTable('message_attempts')
      .set({
        state: 'parked',
        unknownSinceMs: valueByKey(
          'messageId',
          orphans.map(({ messageId, startedAtMs }) => [messageId, startedAtMs + times.timeoutMs] as const),
        ),
        cause: 'the process ended during the call',
      })
      .where('messageId', 'in', ids)
      .where('state', '=', 'open')
      .where(
        'attempt',
        '=',
        valueByKey(
          'messageId',
          orphans.map(({ messageId, attempt }) => [messageId, attempt] as const),
        ),
      )
      .execute();
  });
  return orphans.length;
}

/** A parked message at its deadline. */
interface Parked {
  id: string;
  attempts: number;
  senderId: string | null;
  onUnknown: string;
  expiresAtMs: number | null;
  startedAtMs: number;
  unknownSinceMs: number | null;
  lastStatusAtMs: number | null;
}

/** What becomes of a parked message at its deadline. Pure. */
export function decideParked(
  parked: Omit<Parked, 'id' | 'attempts' | 'senderId'>,
  oldestReceiptAtMs: number | undefined,
  times: ParkingTimes,
  nowMs: number,
): 'resend' | 'fail' | 'wait' {
  const deadlineMs = parked.startedAtMs + times.graceMs;
  const isBacklogYounger = oldestReceiptAtMs === undefined || oldestReceiptAtMs > deadlineMs;
  const unknownSinceMs = parked.unknownSinceMs ?? parked.startedAtMs;
  const isStatusLater = (parked.lastStatusAtMs ?? 0) > unknownSinceMs;
  const flows = isBacklogYounger && isStatusLater;
  if (nowMs < deadlineMs) return 'wait';
  if (!flows) return nowMs - parked.startedAtMs > times.parkedMaxMs ? 'fail' : 'wait';
  const isExpired = parked.expiresAtMs !== null && parked.expiresAtMs <= nowMs;
  return parked.onUnknown === 'fail' || isExpired ? 'fail' : 'resend';
}

/**
 * Moves parked messages on whose grace is over: to their next attempt, or to failed. Those whose receipts may still come stay.
 *
 * @returns how many moved.
 */
export async function releaseParked(
  store: Store,
  attempts: Pick<AttemptStore, 'settle'>,
  backlog: ReceiptsBacklog,
  times: ParkingTimes,
  notes: DueNotes,
): Promise<number> {
  const nowMs = store.now();
  // Asked before the rows are read: a receipt applied in between has settled its row already.
  const due = await store.db
    .selectFrom('messages')
    .select('id')
    .where('state', '=', 'parked')
    .where('nextAttemptAtMs', '<=', nowMs)
    .limit(1)
    .execute();
  if (due.length === 0) return 0;
  const oldestReceiptAtMs = await backlog.oldestQueuedAtMs();
  const rows: Parked[] = await store.db
    .selectFrom('messages as m')
    .innerJoin('message_attempts as a', (join) =>
      join.onRef('a.messageId', '=', 'm.id').onRef('a.attempt', '=', 'm.attempts'),
    )
    .leftJoin('senders as s', 's.id', 'm.senderId')
    .select([
      'm.id',
      'm.attempts',
      'm.senderId',
      'm.onUnknown',
      'm.expiresAtMs',
      'a.startedAtMs',
      'a.unknownSinceMs',
      's.lastStatusAtMs',
    ])
    .where('m.state', '=', 'parked')
    .where('m.nextAttemptAtMs', '<=', nowMs)
    .orderBy('m.nextAttemptAtMs')
    .limit(BATCH_SIZE)
    .execute();
  const decided = Object.groupBy(rows, (row) => decideParked(row, oldestReceiptAtMs, times, nowMs));
  if (decided.wait) await recheckLater(store, decided.wait, nowMs + times.recheckMs);
  if (decided.resend) {
    await queueNextAttempt(store, decided.resend, nowMs);
    for (const { senderId } of decided.resend) notes.add(senderId, nowMs);
  }
  if (decided.fail) await failUnknown(store, attempts, decided.fail);
  return (decided.resend?.length ?? 0) + (decided.fail?.length ?? 0);
}

async function recheckLater(store: Store, rows: readonly Parked[], atMs: number): Promise<void> {
  await store.db
    .updateTable('messages')
    .set({ nextAttemptAtMs: atMs })
    .where(
      'id',
      'in',
      rows.map(({ id }) => id),
    )
    .where('state', '=', 'parked')
    .execute();
}

async function queueNextAttempt(store: Store, rows: readonly Parked[], nowMs: number): Promise<void> {
  const ids = rows.map(({ id }) => id);
  const attemptOf = (key: string) =>
    valueByKey(
      key,
      rows.map(({ id, attempts }) => [id, attempts] as const),
    );
  await store.inScope(async ({ trx }) => {
    await trx
      .updateTable('messages')
      .set({ state: 'queued', nextAttemptAtMs: nowMs, waitReason: null, updatedAtMs: nowMs })
      .where('id', 'in', ids)
      .where('state', '=', 'parked')
      .where('attempts', '=', attemptOf('id'))
      .execute();
    await trx
      .updateTable('message_attempts')
      .set({ state: 'unknown', endedAtMs: nowMs })
      .where('messageId', 'in', ids)
      .where('state', '=', 'parked')
      .where('attempt', '=', attemptOf('messageId'))
      .execute();
  });
}

async function failUnknown(
  store: Store,
  attempts: Pick<AttemptStore, 'settle'>,
  rows: readonly Parked[],
): Promise<void> {
  const candidates = await loadCandidates(
    store.db,
    rows.map(({ id }) => id),
  );
  for (const candidate of candidates.values())
    if (candidate.state === 'parked') await attempts.settle(candidate, unknownEnd);
}

/** The end of a message of which nobody knows whether it arrived. */
export const unknownEnd = {
  kind: 'settle',
  state: 'failed',
  code: 'UNKNOWN',
  reason: 'the provider never said whether it took the message',
} as const;
