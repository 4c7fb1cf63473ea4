import type { Producer } from '@switchyard/jobs';
import type { Store } from '../database/scope.ts';
import type { WakeUps } from '../messages/create-wake-ups.ts';
import { CLAIM_MS } from '../messages/record-messages.ts';
import { WAITING_OF_NUMBER } from '../pacing/gate.ts';
import type { ReadyNumber, ReadySet, Visited } from '../pacing/ready-set.ts';
import type { SenderDirectory } from '../senders/sender-directory.ts';
import { countClaimed, type DueMessage, findBacklogs, findDue } from './find-due.ts';

/** What the dispatcher needs. */
export interface DispatcherParts {
  store: Store;
  producer: Pick<Producer, 'addMany'>;
  senders: Pick<SenderDirectory, 'byId'>;
  ready: ReadySet;
  wakeUps: WakeUps;
  /** Jobs of `messages` that nobody has taken yet. */
  waiting: () => Promise<number>;
}

/** Hands messages that wait in SQL to the workers. One process at a time does; two at once would only do it twice. */
export interface Dispatcher {
  /** Visits the numbers that are ready. @returns messages woken, and when there is something to do again. */
  dispatch(): Promise<{ woken: number; nextAtMs: number | undefined }>;
  /** Notes every number that has messages in SQL: for those that a crash or an emptied Redis has made us forget. */
  recall(): Promise<void>;
}

const NUMBERS_PER_VISIT = 200;
/** So many visits follow each other while all of their numbers were ready. */
const VISITS_AT_ONCE = 20;
/** Recalling rests for so many times as long as it took: with thousands of numbers it is no small thing. */
const RECALL_REST = 20;
/** Messages that one statement hands out. */
const HANDED_OUT_AT_ONCE = 500;
/** How much work of a number is handed out ahead of its time. */
const LEAD_MS = 500;
/** Of a number this fast it is counted, so that half a second is always handed out: a database may stop for as long. */
const COUNTED_PER_SECOND = 20;
/** What was handed out longer ago is lost, or is somewhere else: it is handed out again when its claim ends. */
const CLAIMS_COUNTED_MS = 10_000;
/** Jobs that nobody has taken: beyond it more would only be out of order. */
const MOST_WAITING = 1000;
/** A visit that died is made again after so long. */
const VISIT_MS = 5000;
/** How soon a paused number is looked at again: somebody may have resumed it. */
const PAUSED_MS = 2000;
/** Microseconds between two messages of a number that is gone: they fail, and need not hurry. */
const UNKNOWN_INTERVAL = 50_000;

/** Makes the dispatcher. Its pace per number is the number's own: what is handed out too early would wait elsewhere. */
export function createDispatcher({
  store,
  producer,
  senders,
  ready,
  wakeUps,
  waiting,
}: DispatcherParts): Dispatcher {
  let recallAtMs = 0;

  /** How many messages a number gets, and when its time comes again. */
  async function planVisit({ senderId, readyAtMs, factor, holdMs }: ReadyNumber, nowMs: number) {
    const sender = await senders.byId(senderId);
    if (sender?.isPaused) return { quota: 0, perSecond: 0, fromMs: nowMs + PAUSED_MS };
    if (holdMs > LEAD_MS) return { quota: 0, perSecond: 0, fromMs: nowMs + holdMs - LEAD_MS };
    const perSecond =
      (1_000_000 / (sender?.pace.intervalMicros ?? UNKNOWN_INTERVAL)) * Math.max(factor, 0.05);
    const fromMs = Math.max(readyAtMs, nowMs - LEAD_MS);
    const quota = Math.min(WAITING_OF_NUMBER, Math.floor(((nowMs - fromMs) * perSecond) / 1000) + 1);
    return { quota, perSecond, fromMs };
  }

  /** Fills up what fast numbers have handed out, so that neither a busy worker nor a late visit adds up. */
  async function fillUp<P extends Awaited<ReturnType<typeof planVisit>> & { senderId: string }>(
    plans: readonly P[],
    nowMs: number,
  ): Promise<P[]> {
    const fast = plans.filter(({ quota, perSecond }) => quota > 0 && perSecond >= COUNTED_PER_SECOND);
    if (fast.length === 0) return [...plans];
    const claimed = await countClaimed(
      store.db,
      fast.map(({ senderId }) => senderId),
      { fromMs: nowMs + CLAIM_MS - CLAIMS_COUNTED_MS, toMs: nowMs + CLAIM_MS },
    );
    return plans.map((plan) => {
      if (!fast.includes(plan)) return plan;
      const lead = Math.min(WAITING_OF_NUMBER, Math.ceil((plan.perSecond * LEAD_MS) / 1000));
      const quota = Math.max(0, lead - (claimed.get(plan.senderId) ?? 0));
      // Its next visit comes when a tenth of the lead is used up.
      return { ...plan, quota, fromMs: nowMs + LEAD_MS / 10 - (quota * 1000) / plan.perSecond };
    });
  }

  async function wake(rows: readonly DueMessage[], nowMs: number): Promise<void> {
    if (rows.length === 0) return;
    await store.db
      .updateTable('messages')
      .set(({ eb }) => ({ nextAttemptAtMs: nowMs + CLAIM_MS, turn: eb('turn', '+', 1) }))
      .where(
        'id',
        'in',
        rows.map(({ id }) => id),
      )
      .where('state', '=', 'queued')
      .execute();
    await producer.addMany(wakeUps(rows.map((row) => ({ ...row, turn: row.turn + 1 }))));
  }

  /** Visits numbers that are ready. @returns how many, and how many of their messages were handed out. */
  async function visit(nowMs: number): Promise<{ visited: number; woken: number }> {
    const numbers = await ready.take(nowMs, NUMBERS_PER_VISIT, VISIT_MS);
    if (numbers.length === 0) return { visited: 0, woken: 0 };
    const plans = await fillUp(
      await Promise.all(numbers.map(async (number) => ({ ...number, ...(await planVisit(number, nowMs)) }))),
      nowMs,
    );
    const open = plans.filter(({ quota }) => quota > 0);
    const { messages: rows, nextAtMs } = await findDue(
      store.db,
      open.map(({ senderId, quota }) => ({ senderId, messages: quota })),
      nowMs,
    );
    for (let start = 0; start < rows.length; start += HANDED_OUT_AT_ONCE)
      await wake(rows.slice(start, start + HANDED_OUT_AT_ONCE), nowMs);
    const counts = Map.groupBy(rows, ({ senderId }) => senderId);
    const taken = (senderId: string) => counts.get(senderId)?.length ?? 0;
    const visited = plans.map(({ senderId, quota, perSecond, fromMs }): Visited => {
      if (quota === 0) return { senderId, nextAtMs: fromMs };
      const pacedAtMs = fromMs + (taken(senderId) * 1000) / perSecond;
      if (taken(senderId) === quota) return { senderId, nextAtMs: pacedAtMs };
      const dueAtMs = nextAtMs.get(senderId);
      return { senderId, nextAtMs: dueAtMs === undefined ? undefined : Math.max(dueAtMs, pacedAtMs) };
    });
    await ready.settle(visited, nowMs + VISIT_MS);
    return { visited: numbers.length, woken: rows.length };
  }

  return {
    async dispatch() {
      let woken = 0;
      for (let turn = 0; turn < VISITS_AT_ONCE; turn += 1) {
        if ((await waiting()) >= MOST_WAITING) return { woken, nextAtMs: store.now() };
        const end = await visit(store.now());
        woken += end.woken;
        if (end.visited < NUMBERS_PER_VISIT) break;
      }
      return { woken, nextAtMs: await ready.nextAtMs() };
    },
    async recall() {
      if (performance.now() < recallAtMs) return;
      const startedAtMs = performance.now();
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page: Map<string, number> = await findBacklogs(store.db, after);
        await ready.recall(page, store.now());
        after = [...page.keys()].at(-1);
      }
      const endedAtMs = performance.now();
      recallAtMs = endedAtMs + (endedAtMs - startedAtMs) * RECALL_REST;
    },
  };
}
