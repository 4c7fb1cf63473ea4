import type { Selectable } from 'kysely';
import type { Executor } from '../database/scope.ts';
import type { MessagesTable } from '../database/tables.ts';
import { waitReasons } from './wait-reason.ts';

/** One thing that happened to a message. */
export interface TimelineEntry {
  state: string;
  attempt: number;
  atMs: number;
  recordedAtMs: number;
  cause: string;
  code: string | null;
  detail: string | null;
}

/**
 * Tells everything that happened to a message, in order: its recording and its calls from their own rows, receipts and decisions from
 * the timeline.
 */
export async function readTimeline(
  db: Executor,
  message: Pick<
    Selectable<MessagesTable>,
    'id' | 'direction' | 'state' | 'attempts' | 'waitReason' | 'createdAtMs' | 'updatedAtMs'
  >,
): Promise<TimelineEntry[]> {
  const [attempts, notes] = await Promise.all([
    db.selectFrom('message_attempts').selectAll().where('messageId', '=', message.id).execute(),
    db.selectFrom('message_timeline').selectAll().where('messageId', '=', message.id).execute(),
  ]);
  const first = entry(message.direction === 'in' ? 'received' : 'queued', 0, message.createdAtMs, 'request');
  const calls = attempts.flatMap((row) => {
    const entries = [entry('sending', row.attempt, row.startedAtMs, 'attempt')];
    if (row.unknownSinceMs !== null)
      entries.push({ ...entry('parked', row.attempt, row.unknownSinceMs, 'no answer'), detail: row.cause });
    const endedAtMs = row.endedAtMs ?? row.startedAtMs;
    // What a receipt has failed was accepted before; the receipt has its own entry.
    if (row.state === 'accepted' || row.state === 'failed')
      entries.push(entry('accepted', row.attempt, endedAtMs, 'answer or receipt'));
    if (row.state === 'rejected' || row.state === 'not-sent' || row.state === 'unknown')
      entries.push({
        ...entry(row.state, row.attempt, endedAtMs, row.state === 'unknown' ? 'grace over' : 'answer'),
        code: row.errorCode,
        detail: row.cause,
      });
    return entries;
  });
  const rest = notes.map(({ occurredAtMs, messageId: _, ...row }) => ({ ...row, atMs: occurredAtMs }));
  const waits = waitOf(message);
  return [first, ...calls, ...rest, ...waits].toSorted(
    (a, b) => a.recordedAtMs - b.recordedAtMs || a.atMs - b.atMs,
  );
}

/** Why a message waits now; what it has waited for before is not kept. */
function waitOf({
  state,
  attempts,
  waitReason,
  updatedAtMs,
}: Pick<Selectable<MessagesTable>, 'state' | 'attempts' | 'waitReason' | 'updatedAtMs'>): TimelineEntry[] {
  if (state !== 'queued' || waitReason === null) return [];
  const waits = entry('queued', attempts, updatedAtMs, 'waits');
  return [{ ...waits, code: waitReason, detail: waitReasons[waitReason] }];
}

function entry(state: string, attempt: number, atMs: number, cause: string): TimelineEntry {
  return { state, attempt, atMs, recordedAtMs: atMs, cause, code: null, detail: null };
}
