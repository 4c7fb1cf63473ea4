import { sql } from 'kysely';
import type { Executor } from '../database/scope.ts';
import { priorityOf } from '../messages/outgoing-message.ts';
import { laneRules, lanes } from '../pacing/lanes.ts';
import { NUMBERS_PER_STATEMENT, selectByLane } from './select-by-lane.ts';

/** A message that is due. */
export interface DueMessage {
  id: string;
  merchantId: string;
  senderId: string;
  turn: number;
  priority: number;
}

/** How many messages a number may have now. */
export interface Quota {
  senderId: string;
  messages: number;
}

/**
 * Finds due messages of many numbers, of each at most its quota: most urgent lane first, but for the shares of the others.
 *
 * One statement per 40 numbers; each of its parts reads nothing but the rows it returns.
 */
export async function findDue(
  db: Executor,
  quotas: readonly Quota[],
  nowMs: number,
  chance: () => number = Math.random,
): Promise<DueMessage[]> {
  const found: DueMessage[] = [];
  for (let start = 0; start < quotas.length; start += NUMBERS_PER_STATEMENT) {
    const part = quotas.slice(start, start + NUMBERS_PER_STATEMENT);
    const rows = await selectDue(db, part, nowMs);
    const bySender = Map.groupBy(rows, ({ senderId }) => senderId);
    for (const { senderId, messages } of part)
      found.push(...shareOut(bySender.get(senderId) ?? [], messages, chance));
  }
  return found;
}

async function selectDue(db: Executor, quotas: readonly Quota[], nowMs: number): Promise<DueMessage[]> {
  const most = new Map(quotas.map(({ senderId, messages }) => [senderId, messages]));
  const rows = await selectByLane(db, [...most.keys()], (queued, senderId) =>
    db
      .selectFrom(
        queued
          .select(['id', 'merchantId', 'senderId', 'turn', 'priority'])
          .where('nextAttemptAtMs', '<=', nowMs)
          .orderBy('nextAttemptAtMs')
          .limit(most.get(senderId)!)
          .as('due'),
      )
      .selectAll(),
  ).execute();
  return rows as DueMessage[];
}

/** Divides a quota among the lanes: the less urgent have their share, by chance where it is less than one message. */
function shareOut(rows: readonly DueMessage[], quota: number, chance: () => number): DueMessage[] {
  const byLane = lanes.map((lane) => rows.filter(({ priority }) => priority === priorityOf(lane)));
  const owed = lanes.map((lane, index) => {
    const share = lane === 'transactional' ? 0 : quota * laneRules[lane].share;
    const whole = Math.floor(share) + (chance() < share % 1 ? 1 : 0);
    return Math.min(whole, byLane[index]!.length);
  });
  let left = quota;
  const taken = byLane.map((lane, index) => {
    const owedToOthers = owed.slice(index + 1).reduce((sum, each) => sum + each, 0);
    const mine = lane.slice(0, Math.max(0, Math.max(left - owedToOthers, Math.min(left, owed[index]!))));
    left -= mine.length;
    return mine;
  });
  return taken.flat();
}

/** When the next message of each number is due; numbers without any are left out. */
export async function findNextDue(db: Executor, senderIds: readonly string[]): Promise<Map<string, number>> {
  const next = new Map<string, number>();
  for (let start = 0; start < senderIds.length; start += NUMBERS_PER_STATEMENT) {
    const part = senderIds.slice(start, start + NUMBERS_PER_STATEMENT);
    const rows = await selectByLane(db, part, (queued, senderId) =>
      queued
        .select(({ fn, val }) => [val(senderId).as('senderId'), fn.min('nextAttemptAtMs').as('nextAtMs')])
        .where('nextAttemptAtMs', 'is not', null),
    ).execute();
    for (const { senderId, nextAtMs } of rows)
      if (nextAtMs !== null)
        next.set(senderId, Math.min(next.get(senderId) ?? Number.POSITIVE_INFINITY, Number(nextAtMs)));
  }
  return next;
}

/**
 * Counts the messages of each number that have been handed out and not been begun: queued, to be looked at again within this time.
 * Reads an index alone, and of it nothing but what it counts.
 */
export async function countClaimed(
  db: Executor,
  senderIds: readonly string[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<Map<string, number>> {
  const claimed = new Map<string, number>();
  for (let start = 0; start < senderIds.length; start += NUMBERS_PER_STATEMENT) {
    const part = senderIds.slice(start, start + NUMBERS_PER_STATEMENT);
    const rows = await selectByLane(db, part, (queued, senderId) =>
      queued
        .select(({ fn, val }) => [val(senderId).as('senderId'), fn.countAll<number>().as('messages')])
        .where('nextAttemptAtMs', '>', fromMs)
        .where('nextAttemptAtMs', '<=', toMs),
    ).execute();
    for (const { senderId, messages } of rows)
      claimed.set(senderId, (claimed.get(senderId) ?? 0) + Number(messages));
  }
  return claimed;
}

/** Numbers with messages in `queued`, found by jumping from one to the next in an index: idle ones are not even looked at. */
export async function findBacklogs(db: Executor): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with recursive backlog(id) as (
      select min(senderId) from messages where state = 'queued' and senderId > '' and nextAttemptAtMs is not null
      union all
      select (select min(m.senderId) from messages as m where m.state = 'queued' and m.senderId > backlog.id
        and m.nextAttemptAtMs is not null)
      from backlog where backlog.id is not null
    )
    select id from backlog where id is not null`.execute(db);
  return rows.map(({ id }) => id);
}
