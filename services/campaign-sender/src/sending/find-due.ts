import { dialectOf } from '@switchyard/database';
import { CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { Executor } from '../database/scope.ts';
import { priorityOf } from '../messages/outgoing-message.ts';
import { laneRules, lanes } from '../pacing/lanes.ts';

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

/** What is due of some numbers, and what will be. */
export interface Due {
  /** Number by number. */
  messages: DueMessage[];
  /** When a number that had less than its quota has its next; those that have nothing else are left out. */
  nextAtMs: Map<string, number>;
}

/** Of so many numbers one statement tells at most: one select per lane each, and short enough to be kept prepared. */
const NUMBERS_PER_STATEMENT = 20;

/**
 * Finds due messages of many numbers, of each at most its quota: most urgent lane first, but for the shares of the others.
 *
 * One statement per 20 numbers; each of its parts reads nothing but the rows it returns.
 */
export async function findDue(
  db: Executor,
  quotas: readonly Quota[],
  nowMs: number,
  chance: () => number = Math.random,
): Promise<Due> {
  const found: Due = { messages: [], nextAtMs: new Map() };
  const rows = await askByLane<DueMessage & { nextAttemptAtMs: number }>(
    db,
    `select * from (select id, merchantId, senderId, turn, priority, nextAttemptAtMs from messages
      where state = 'queued' and senderId = ? and priority = ? and nextAttemptAtMs is not null order by nextAttemptAtMs limit ?) as due`,
    quotas.map(({ senderId, messages }) => ({
      senderId,
      values: (id, priority) => [id, priority, messages],
    })),
  );
  const bySender = Map.groupBy(rows, ({ senderId }) => senderId);
  for (const { senderId, messages } of quotas) {
    const mine = bySender.get(senderId) ?? [];
    const due = shareOut(
      mine.filter(({ nextAttemptAtMs }) => nextAttemptAtMs <= nowMs),
      messages,
      chance,
    );
    found.messages.push(...due);
    if (due.length === messages) continue;
    const later = mine.flatMap(({ nextAttemptAtMs }) => (nextAttemptAtMs > nowMs ? [nextAttemptAtMs] : []));
    if (later.length > 0) found.nextAtMs.set(senderId, Math.min(...later));
  }
  return found;
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
  const rows = await askByLane<{ senderId: string; messages: number }>(
    db,
    `select ? as senderId, count(*) as messages from messages
      where state = 'queued' and senderId = ? and priority = ? and nextAttemptAtMs > ? and nextAttemptAtMs <= ?`,
    senderIds.map((senderId) => ({ senderId, values: (id, priority) => [id, id, priority, fromMs, toMs] })),
  );
  for (const { senderId, messages } of rows)
    claimed.set(senderId, (claimed.get(senderId) ?? 0) + Number(messages));
  return claimed;
}

interface Question {
  senderId: string;
  /** What stands for the marks of a part. */
  values: (senderId: string, priority: number) => unknown[];
}

/**
 * Asks for something of the queued messages of many numbers, number by number and lane by lane, so that an index leads each part to nothing
 * but what it returns. The same few texts each time, which are written and read once.
 */
async function askByLane<Row>(db: Executor, part: string, questions: readonly Question[]): Promise<Row[]> {
  const found: Row[] = [];
  for (let start = 0; start < questions.length; start += NUMBERS_PER_STATEMENT) {
    const asked = questions.slice(start, start + NUMBERS_PER_STATEMENT);
    // 1, 2, 4, 8 … in number, filled up with a number that does not exist: one that is asked for twice would answer twice.
    const size = Math.min(NUMBERS_PER_STATEMENT, 2 ** Math.ceil(Math.log2(asked.length)));
    while (asked.length < size) asked.push({ ...asked[0]!, senderId: '' });
    const values = asked.flatMap((each) =>
      lanes.flatMap((lane) => each.values(each.senderId, priorityOf(lane))),
    );
    const parts = Array<string>(asked.length * lanes.length).fill(part);
    const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(parts.join(' union all '), values));
    found.push(...rows);
  }
  return found;
}

/** A number with messages that wait, and when the next of them is due. */
export interface Backlog {
  senderId: string;
  nextAtMs: number;
}

/** Numbers found in one statement. */
const BACKLOGS_AT_ONCE = 500;

/**
 * Finds numbers with messages in `queued` in the order of their ids; idle ones are not even looked at.
 *
 * @param after the last one of the page before. @returns a page; an empty one is the end.
 */
export async function findBacklogs(db: Executor, after = ''): Promise<Backlog[]> {
  const rows = dialectOf(db) === 'sqlite' ? await jumpToBacklogs(db, after) : await groupBacklogs(db, after);
  const found = new Map<string, number>();
  for (const { senderId, nextAtMs } of rows)
    if (nextAtMs !== null)
      found.set(senderId, Math.min(found.get(senderId) ?? Number.POSITIVE_INFINITY, Number(nextAtMs)));
  return [...found].map(([senderId, nextAtMs]) => ({ senderId, nextAtMs })).slice(0, BACKLOGS_AT_ONCE);
}

interface LaneBacklog {
  senderId: string;
  nextAtMs: number | null;
}

/** From one number to the next in an index, and to the first message of each lane. That index is used where a part says that the time is set. */
async function jumpToBacklogs(db: Executor, after: string): Promise<LaneBacklog[]> {
  const nextAfter = (id: RawBuilder<unknown>) =>
    sql`(select min(m.senderId) from messages as m where m.state = 'queued' and m.senderId > ${id} and m.nextAttemptAtMs is not null)`;
  const { rows } = await sql<LaneBacklog>`
    with recursive backlog(id, place) as (
      select ${nextAfter(sql`${after}`)}, 1
      union all
      select ${nextAfter(sql.ref('backlog.id'))}, backlog.place + 1
      from backlog where backlog.id is not null and backlog.place < ${BACKLOGS_AT_ONCE}
    ), lane(priority) as (values ${sql.join(lanes.map((lane) => sql`(${priorityOf(lane)})`))})
    select backlog.id as senderId, (select min(m.nextAttemptAtMs) from messages as m where m.state = 'queued'
      and m.senderId = backlog.id and m.priority = lane.priority and m.nextAttemptAtMs is not null) as nextAtMs
    from backlog cross join lane where backlog.id is not null order by backlog.id`.execute(db);
  return rows;
}

/** MySQL and MariaDB skip from group to group by themselves where groups are long, and would read all that follows at each jump. */
async function groupBacklogs(db: Executor, after: string): Promise<LaneBacklog[]> {
  return await db
    .selectFrom('messages')
    .select(({ fn }) => ['senderId', fn.min('nextAttemptAtMs').as('nextAtMs')])
    .where('state', '=', 'queued')
    .where('senderId', '>', after)
    .groupBy(['senderId', 'priority'])
    .orderBy('senderId')
    // With one more number every lane of the others is told.
    .limit((BACKLOGS_AT_ONCE + 1) * lanes.length)
    .$narrowType<{ senderId: string }>()
    .execute();
}
