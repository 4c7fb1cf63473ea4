import type { Executor } from '../database/scope.ts';

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
  message: { id: string; direction: string; createdAtMs: number },
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
  return [first, ...calls, ...rest].toSorted((a, b) => a.recordedAtMs - b.recordedAtMs || a.atMs - b.atMs);
}

function entry(state: string, attempt: number, atMs: number, cause: string): TimelineEntry {
  return { state, attempt, atMs, recordedAtMs: atMs, cause, code: null, detail: null };
}
