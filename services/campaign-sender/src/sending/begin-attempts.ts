import { insertIgnore, updateRows } from '@switchyard/database';
import { padKeys } from '../database/pad-keys.ts';
import type { Dialect, Executor } from '../database/scope.ts';
import type { Candidate } from '../messages/message-candidate.ts';
import { recordMessages, toRow } from '../messages/record-messages.ts';
import { decideBeforeCall, type Unsent } from './decide-before-call.ts';

/** A call about to be made: its row is written. */
export interface BegunAttempt {
  attempt: number;
  startedAtMs: number;
}

/** What became of each: begun, or not wanted any more. Those that somebody else has taken are left out. */
type Begun = Map<Candidate, BegunAttempt | Unsent>;

/** Thrown to have a batch done one by one; a transaction that throws leaves nothing behind. */
const someoneWasFaster = new Error('another process has taken a message of this batch');

/**
 * Writes the intents of calls. A message is read before it waits for its slot, and whoever opts out meanwhile is not called; what is
 * committed after this comes after the call. One that is not recorded yet is recorded as under way.
 *
 * @throws for a batch of which one is in another's hands: to be done one by one.
 */
export async function beginAttempts(
  trx: Executor,
  dialect: Dialect,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<Begun> {
  const begun: Begun = new Map();
  const people = await readPeople(trx, candidates);
  const queued: Candidate[] = [];
  const fresh: Candidate[] = [];
  for (const candidate of candidates) {
    const person = people.get(candidate.contactId ?? '');
    const isUnwilling = person && (person.optedOut || person.marketingOptedOut);
    const decision = isUnwilling && decideBeforeCall({ ...candidate, ...person }, nowMs);
    if (decision && decision.kind === 'settle') begun.set(candidate, decision);
    else if (!candidate.unrecorded) queued.push(candidate);
    // Whoever was merged or erased meanwhile is looked for again.
    else if (person) fresh.push(candidate);
    else queued.push(...(await recordFirst(trx, dialect, candidate, begun, nowMs)));
  }
  if (!(await insertSending(trx, dialect, fresh, nowMs))) {
    if (candidates.length > 1) throw someoneWasFaster;
    // An earlier try of its job has recorded it.
    queued.push(...(await recordFirst(trx, dialect, fresh.pop()!, begun, nowMs)));
  }
  if (!(await takeQueued(trx, dialect, queued, nowMs))) {
    if (candidates.length > 1) throw someoneWasFaster;
    return begun;
  }
  await openAttempts(trx, dialect, [...fresh, ...queued], nowMs);
  for (const each of [...fresh, ...queued])
    begun.set(each, { attempt: each.attempts + 1, startedAtMs: nowMs });
  return begun;
}

async function readPeople(trx: Executor, candidates: readonly Candidate[]) {
  const ids = [...new Set(candidates.flatMap(({ contactId }) => contactId ?? []))];
  if (ids.length === 0) return new Map<string, Pick<Candidate, 'optedOut' | 'marketingOptedOut'>>();
  const rows = await trx
    .selectFrom('contacts')
    .select(['id', 'optedOut', 'marketingOptedOut'])
    .where('id', 'in', padKeys(ids))
    .execute();
  return new Map(
    rows.map(({ id, optedOut, marketingOptedOut }) => [
      id,
      { optedOut: optedOut === 1, marketingOptedOut: marketingOptedOut === 1 },
    ]),
  );
}

/** Records a message as any other. @returns it, if it may go; else it is decided, or somebody else has it. */
async function recordFirst(
  trx: Executor,
  dialect: Dialect,
  candidate: Candidate,
  begun: Begun,
  nowMs: number,
): Promise<Candidate[]> {
  const [recorded] = await recordMessages(trx, dialect, [candidate.unrecorded!], nowMs);
  const decision = decideBeforeCall(recorded!, nowMs);
  if (decision.kind === 'settle') begun.set(candidate, decision);
  return decision.kind === 'go' ? [candidate] : [];
}

/** @returns false when one of them is recorded already. */
async function insertSending(
  trx: Executor,
  dialect: Dialect,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<boolean> {
  if (candidates.length === 0) return true;
  const rows = candidates.map(({ unrecorded, contactId }) => ({
    ...toRow(unrecorded!, contactId, nowMs),
    ...{ state: 'sending' as const, attempts: 1, nextAttemptAtMs: nowMs },
  }));
  return (await insertIgnore(trx, dialect, 'messages', rows, ['id'])) === rows.length;
}

/** @returns false when one of them is not to be had. */
async function takeQueued(
  trx: Executor,
  dialect: Dialect,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<boolean> {
  const taken = await updateRows(
    trx,
    dialect,
    'messages',
    'id',
    candidates.map(({ id, attempts }) => ({
      key: id,
      // Looked at again when the process must have died: its call's time-out after this.
      set: { state: 'sending' as const, attempts: attempts + 1, nextAttemptAtMs: nowMs, updatedAtMs: nowMs },
      match: { attempts },
    })),
    { state: ['queued'] },
  );
  return taken === candidates.length;
}

async function openAttempts(
  trx: Executor,
  dialect: Dialect,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<void> {
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
}
