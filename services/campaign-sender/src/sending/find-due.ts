import { dialectOf } from '@switchyard/database';
import { CompiledQuery, type RawBuilder, sql } from 'kysely';
import { padKeys } from '../database/pad-keys.ts';
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

type FirstMessage = DueMessage & { nextAttemptAtMs: number };

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

/** So many messages of a lane are found one by one, of all lanes together; only of one that has more a select of its own is worth it. */
const FEW = 4;
/** Lanes with a select of their own per statement: short enough to be kept prepared. */
const LANES_PER_STATEMENT = 32;

/** Reads nothing but the rows it returns. */
const MANY_OF_LANE = `select * from (select id, merchantId, senderId, turn, priority, nextAttemptAtMs from messages
  where state = 'queued' and senderId = ? and priority = ? and nextAttemptAtMs is not null order by nextAttemptAtMs limit ?) as due`;

/** Lanes as a list in JSON, and a join that goes from them to their messages, whatever the planner thinks. */
const dialects = {
  sqlite: {
    lanes: `(select value ->> 'senderId' as senderId, value ->> 'priority' as priority from json_each(?))`,
    join: 'cross join',
  },
  mysql: {
    lanes: `json_table(?, '$[*]' columns (senderId varchar(191) character set utf8mb4 path '$.senderId', priority integer path '$.priority'))`,
    join: 'straight_join',
  },
} as const;
type Dialect = keyof typeof dialects;

/** The nth message of each lane, counted from 0. Planned once for all lanes: MariaDB takes ten times as long for a select per lane. */
const nthOfEach = (dialect: Dialect, nth: number) => `
  select m.id, m.merchantId, m.senderId, m.turn, m.priority, m.nextAttemptAtMs
  from ${dialects[dialect].lanes} as lane ${dialects[dialect].join} messages as m on m.id = (
    select f.id from messages as f where f.state = 'queued' and f.senderId = lane.senderId and f.priority = lane.priority
    and f.nextAttemptAtMs is not null order by f.nextAttemptAtMs limit 1 offset ${nth})`;
const nextOfEach = (dialect: Dialect) =>
  Array.from({ length: FEW - 1 }, (_, index) => nthOfEach(dialect, index + 1)).join(' union all ');
const firstStatement = { sqlite: nthOfEach('sqlite', 0), mysql: nthOfEach('mysql', 0) };
const nextStatement = { sqlite: nextOfEach('sqlite'), mysql: nextOfEach('mysql') };

/**
 * Finds due messages of many numbers, of each at most its quota: most urgent lane first, but for the shares of the others.
 *
 * Two statements for the first few messages of all lanes, and one per 32 lanes that have more of them, of a few texts that are
 * written and read once.
 */
export async function findDue(
  db: Executor,
  quotas: readonly Quota[],
  nowMs: number,
  chance: () => number = Math.random,
): Promise<Due> {
  const found: Due = { messages: [], nextAtMs: new Map() };
  if (quotas.length === 0) return found;
  const bySender = Map.groupBy(await selectFirst(db, quotas, nowMs), ({ senderId }) => senderId);
  for (const { senderId, messages } of quotas) {
    const mine = bySender.get(senderId) ?? [];
    const due = shareOut(
      mine.filter(({ nextAttemptAtMs }) => nextAttemptAtMs <= nowMs),
      messages,
      chance,
    );
    found.messages.push(...due);
    const later = mine.flatMap(({ nextAttemptAtMs }) => (nextAttemptAtMs > nowMs ? [nextAttemptAtMs] : []));
    if (due.length < messages && later.length > 0) found.nextAtMs.set(senderId, Math.min(...later));
  }
  return found;
}

type LaneOfNumber = Pick<FirstMessage, 'senderId' | 'priority'>;

/**
 * The first messages of each lane in their order, due or not: as many as the number may have, of a lane with nothing due one. Most numbers have few
 * in one lane; what is asked next depends on what was found.
 */
async function selectFirst(db: Executor, quotas: readonly Quota[], nowMs: number): Promise<FirstMessage[]> {
  const quotaOf = new Map(quotas.map(({ senderId, messages }) => [senderId, messages]));
  const wantsMore = ({ senderId, nextAttemptAtMs }: FirstMessage, than: number) =>
    nextAttemptAtMs <= nowMs && quotaOf.get(senderId)! > than;
  const firsts = await selectOfEach(
    db,
    firstStatement,
    quotas.flatMap(({ senderId }) => lanes.map((lane) => ({ senderId, priority: priorityOf(lane) }))),
  );
  const next = await selectOfEach(
    db,
    nextStatement,
    firsts.filter((row) => wantsMore(row, 1)),
  );
  const byLane = Map.groupBy(next, ({ senderId, priority }) => `${priority} ${senderId}`);
  const withMore = [...byLane.values()].filter(
    (rows) => rows.length === FEW - 1 && rows.every((row) => wantsMore(row, FEW)),
  );
  const many = await selectMany(
    db,
    withMore.map(([row]) => row!),
    quotaOf,
  );
  // By their ids: what has changed from one statement to the next may be in both.
  const found = new Map([...firsts, ...next, ...many].map((row) => [row.id, row]));
  return [...found.values()].toSorted((a, b) => a.nextAttemptAtMs - b.nextAttemptAtMs);
}

async function selectOfEach(
  db: Executor,
  statement: typeof firstStatement | typeof nextStatement,
  of: readonly LaneOfNumber[],
): Promise<FirstMessage[]> {
  if (of.length === 0) return [];
  const list = JSON.stringify(of.map(({ senderId, priority }) => ({ senderId, priority })));
  const text = statement[dialectOf(db)];
  const values = Array<string>(text.split('?').length - 1).fill(list);
  return (await db.executeQuery<FirstMessage>(CompiledQuery.raw(text, values))).rows;
}

async function selectMany(
  db: Executor,
  of: readonly LaneOfNumber[],
  quotaOf: ReadonlyMap<string, number>,
): Promise<FirstMessage[]> {
  const found: FirstMessage[] = [];
  for (let start = 0; start < of.length; start += LANES_PER_STATEMENT) {
    const part = of.slice(start, start + LANES_PER_STATEMENT);
    const text = part.map(() => MANY_OF_LANE).join(' union all ');
    const values = part.flatMap(({ senderId, priority }) => [senderId, priority, quotaOf.get(senderId)!]);
    found.push(...(await db.executeQuery<FirstMessage>(CompiledQuery.raw(text, values))).rows);
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
  if (senderIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('messages')
    .select(({ fn }) => ['senderId', fn.countAll<number>().as('messages')])
    .where('state', '=', 'queued')
    .where('senderId', 'in', padKeys(senderIds))
    .where('priority', 'in', lanes.map(priorityOf))
    .where('nextAttemptAtMs', '>', fromMs)
    .where('nextAttemptAtMs', '<=', toMs)
    .groupBy('senderId')
    .execute();
  return new Map(rows.map(({ senderId, messages }) => [senderId!, Number(messages)]));
}

/** Numbers found in one statement. */
const BACKLOGS_AT_ONCE = 500;

/**
 * Finds numbers with messages in `queued`, and when the next of each is due, in the order of their ids; idle ones are not even looked at.
 *
 * @param after the last one of the page before. @returns a page; an empty one is the end.
 */
export async function findBacklogs(db: Executor, after = ''): Promise<Map<string, number>> {
  const rows = dialectOf(db) === 'sqlite' ? await jumpToBacklogs(db, after) : await groupBacklogs(db, after);
  const found = new Map<string, number>();
  for (const { senderId, nextAtMs } of rows) {
    if (nextAtMs === null) continue;
    const known = found.get(senderId);
    if (known === undefined && found.size === BACKLOGS_AT_ONCE) break;
    found.set(senderId, Math.min(known ?? Number.POSITIVE_INFINITY, Number(nextAtMs)));
  }
  return found;
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
