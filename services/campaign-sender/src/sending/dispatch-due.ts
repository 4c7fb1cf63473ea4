import type { JobToAdd, Producer } from '@switchyard/jobs';
import type { Store } from '../database/scope.ts';
import { CLAIM_MS } from '../messages/record-messages.ts';
import type { ReadyNumber, ReadySet, Visited } from '../pacing/ready-set.ts';
import type { SenderDirectory } from '../senders/sender-directory.ts';
import { countClaimed, type DueMessage, findBacklogs, findDue, findNextDue } from './find-due.ts';

/** What the dispatcher needs. */
export interface DispatcherParts {
  store: Store;
  producer: Pick<Producer, 'addMany'>;
  senders: Pick<SenderDirectory, 'byId'>;
  ready: ReadySet;
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
const MESSAGES_PER_VISIT = 500;
/** How much work of a number is handed out ahead of its time. */
const LEAD_MS = 500;
/** Of a number this fast it is counted, so that half a second is always handed out: a database may stop for as long. */
const COUNTED_PER_SECOND = 20;
/** What was handed out longer ago is lost, or is somewhere else: it is handed out again when its claim ends. */
const CLAIMS_COUNTED_MS = 10_000;
/** Work that nobody has taken: beyond it more would only be out of order. */
const MOST_WAITING = 4000;
/** A visit that died is made again after so long. */
const VISIT_MS = 5000;
/** How soon a paused number is looked at again: somebody may have resumed it. */
const PAUSED_MS = 2000;
/** Microseconds between two messages of a number that is gone: they fail, and need not hurry. */
const UNKNOWN_INTERVAL = 50_000;

/** Makes the dispatcher. Its pace per number is the number's own: what is handed out too early would wait elsewhere. */
export function createDispatcher({ store, producer, senders, ready, waiting }: DispatcherParts): Dispatcher {
  /** How many messages a number gets, and when its time comes again. */
  async function planVisit({ senderId, readyAtMs, factor, holdMs }: ReadyNumber, nowMs: number) {
    const sender = await senders.byId(senderId);
    if (sender?.isPaused) return { quota: 0, perSecond: 0, fromMs: nowMs + PAUSED_MS };
    if (holdMs > LEAD_MS) return { quota: 0, perSecond: 0, fromMs: nowMs + holdMs - LEAD_MS };
    const perSecond =
      (1_000_000 / (sender?.pace.intervalMicros ?? UNKNOWN_INTERVAL)) * Math.max(factor, 0.05);
    const fromMs = Math.max(readyAtMs, nowMs - LEAD_MS);
    const quota = Math.min(MESSAGES_PER_VISIT, Math.floor(((nowMs - fromMs) * perSecond) / 1000) + 1);
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
      const wanting = Math.ceil((plan.perSecond * LEAD_MS) / 1000) - (claimed.get(plan.senderId) ?? 0);
      const quota = Math.min(MESSAGES_PER_VISIT, Math.max(0, wanting));
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
    await producer.addMany(
      rows.map(
        ({ id, merchantId, turn, priority }): JobToAdd => ({
          queue: 'messages',
          name: 'deliver-message',
          payload: { merchantId, messageId: id, turn: turn + 1 },
          options: { priority },
          meta: { merchantId },
        }),
      ),
    );
  }

  return {
    async dispatch() {
      const nowMs = store.now();
      if ((await waiting()) >= MOST_WAITING) return { woken: 0, nextAtMs: nowMs };
      const numbers = await ready.take(nowMs, NUMBERS_PER_VISIT, VISIT_MS);
      if (numbers.length === 0) return { woken: 0, nextAtMs: await ready.nextAtMs() };
      const plans = await fillUp(
        await Promise.all(
          numbers.map(async (number) => ({ ...number, ...(await planVisit(number, nowMs)) })),
        ),
        nowMs,
      );
      const open = plans.filter(({ quota }) => quota > 0);
      const rows = await findDue(
        store.db,
        open.map(({ senderId, quota }) => ({ senderId, messages: quota })),
        nowMs,
      );
      for (let start = 0; start < rows.length; start += MESSAGES_PER_VISIT)
        await wake(rows.slice(start, start + MESSAGES_PER_VISIT), nowMs);
      const counts = Map.groupBy(rows, ({ senderId }) => senderId);
      const taken = (senderId: string) => counts.get(senderId)?.length ?? 0;
      const exhausted = open.filter(({ senderId, quota }) => taken(senderId) < quota);
      const nextDue = await findNextDue(
        store.db,
        exhausted.map(({ senderId }) => senderId),
      );
      const visited = plans.map(({ senderId, quota, perSecond, fromMs }): Visited => {
        if (quota === 0) return { senderId, nextAtMs: fromMs };
        const pacedAtMs = fromMs + (taken(senderId) * 1000) / perSecond;
        if (taken(senderId) === quota) return { senderId, nextAtMs: pacedAtMs };
        const dueAtMs = nextDue.get(senderId);
        return { senderId, nextAtMs: dueAtMs === undefined ? undefined : Math.max(dueAtMs, pacedAtMs) };
      });
      await ready.settle(visited, nowMs + VISIT_MS);
      return { woken: rows.length, nextAtMs: await ready.nextAtMs() };
    },
    async recall() {
      const senderIds = await findBacklogs(store.db);
      await ready.recall(await findNextDue(store.db, senderIds), store.now());
    },
  };
}
