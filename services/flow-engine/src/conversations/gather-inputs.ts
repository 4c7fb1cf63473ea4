import { AsyncLocalStorage } from 'node:async_hooks';
import { isCodedError } from '@switchyard/errors';
import type { Logger } from 'pino';
import type { InboxTable } from '../database/tables.ts';
import type { AppliedInput } from './applied-input.ts';
import type { ApplyInput, FreshInput } from './apply-input.ts';
import { contactName } from './create-inbox.ts';

/** Inputs applied in one transaction: enough to share its cost, few enough that the next ones don't wait long. */
const BATCH_MOST = 32;
/** Timers in one transaction while nobody talks. */
const BACKGROUND_MOST = 16;
/** Timers in one transaction while people talk: a live input that comes meanwhile waits for it. */
const BACKGROUND_BESIDE_LIVE = 4;
/** People talk while the last live input is no older. */
const LIVE_FOR_MS = 1000;
/** So many live inputs in a batch hardly notice the timers beside them. */
const MANY_LIVE = 8;
/** Timers that had no turn for so long get one beside any live input. */
const SKIPPED_MOST_MS = 100;
/** Timers rest for as long as they took, but no longer, whatever has held up their transaction. */
const REST_MOST_MS = 50;

/**
 * Applies an input together with those of other contacts that come at the same time.
 *
 * @param isBackground nobody waits for it: live ones go first.
 * @returns undefined when it has to go through the inbox: its contact is another process' now, or it can't be applied.
 * @throws what asks for a later try: the database is away.
 */
export type GatherInput = (row: InboxTable, isBackground: boolean) => Promise<AppliedInput | undefined>;

interface Waiting extends FreshInput {
  resolve: (applied: AppliedInput | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Makes {@link GatherInput}. While a transaction is under way, what comes is gathered for the next one: an idle engine answers at
 * once, a busy one shares the cost of a transaction. Of one contact one input is applied at a time, in the order of coming; live
 * inputs go before timers. While people talk, timers come in small transactions and have half of the time: enough to get on however
 * many live inputs there are, and little enough that those hardly notice a hundred thousand timers.
 *
 * @param parts.parallel transactions at a time.
 */
export function createGatherInput(parts: {
  applyInput: Pick<ApplyInput, 'together'>;
  parallel: number;
  logger: Logger;
}): GatherInput {
  const { applyInput, parallel, logger } = parts;
  const live: Waiting[] = [];
  const background: Waiting[] = [];
  const busy = new Set<string>();
  let underWay = 0;
  let timersUnderWay = 0;
  let liveAtMs = Number.NEGATIVE_INFINITY;
  let restsUntilMs = 0;
  let isAlarmSet = false;

  const doPeopleTalk = () => performance.now() - liveAtMs < LIVE_FOR_MS;

  /** Moves up to `most` inputs of idle contacts from a line into a batch; those contacts are then busy. */
  function take(line: Waiting[], batch: Waiting[], most: number): void {
    let taken = 0;
    for (let at = 0; at < line.length && taken < most; ) {
      const name = contactName(line[at]!.row);
      if (busy.has(name)) {
        at += 1;
        continue;
      }
      busy.add(name);
      batch.push(...line.splice(at, 1));
      taken += 1;
    }
  }

  /** How many timers the next batch may have beside so many live inputs. */
  function timersMost(lives: number, restsMs: number): number {
    if (!doPeopleTalk()) return BACKGROUND_MOST;
    if (restsMs > 0 || timersUnderWay > 0) return 0;
    // Few people: timers get on in transactions of their own, in which nobody has to wait for them.
    const isTheirTurn = lives === 0 || lives >= MANY_LIVE || restsMs < -SKIPPED_MOST_MS;
    return isTheirTurn ? BACKGROUND_BESIDE_LIVE : 0;
  }

  function nextBatch(): { batch: Waiting[]; hasTimers: boolean } {
    const batch: Waiting[] = [];
    take(live, batch, BATCH_MOST - Math.min(background.length, BACKGROUND_BESIDE_LIVE));
    const lives = batch.length;
    const restsMs = restsUntilMs - performance.now();
    take(background, batch, Math.min(timersMost(lives, restsMs), BATCH_MOST - lives));
    if (restsMs > 0 && background.length > 0) runAfter(restsMs);
    return { batch, hasTimers: batch.length > lives };
  }

  function runAfter(ms: number): void {
    if (isAlarmSet) return;
    isAlarmSet = true;
    setTimeout(() => {
      isAlarmSet = false;
      run();
    }, Math.ceil(ms));
  }

  async function apply(batch: readonly Waiting[]): Promise<void> {
    let results: Map<string, AppliedInput>;
    try {
      results = await applyInput.together(batch);
    } catch (error) {
      if (isCodedError(error) && error.outcome === 'later') {
        for (const each of batch) each.reject(error);
        return;
      }
      const [only, ...others] = batch;
      if (only && others.length === 0) {
        // What can't be applied is set aside when it comes up in the inbox.
        logger.debug({ err: error, inboxId: only.row.id }, 'an input goes through the inbox');
        only.resolve(undefined);
        return;
      }
      // One of them spoils the transaction: each on its own, so that it spoils no other's.
      for (const each of batch) await apply([each]);
      return;
    }
    for (const { row, resolve } of batch) resolve(results.get(row.id));
  }

  function run(): void {
    while (underWay < parallel) {
      const { batch, hasTimers } = nextBatch();
      if (batch.length === 0) return;
      underWay += 1;
      if (hasTimers) timersUnderWay += 1;
      const startedAtMs = performance.now();
      void apply(batch).finally(() => {
        underWay -= 1;
        if (hasTimers) timersUnderWay -= 1;
        for (const { row } of batch) busy.delete(contactName(row));
        const now = performance.now();
        if (hasTimers && doPeopleTalk()) restsUntilMs = now + Math.min(now - startedAtMs, REST_MOST_MS);
        // In a turn of its own: a database that answers at once would let nothing else in between two transactions.
        setImmediate(run);
      });
    }
  }

  return (row, isBackground) => {
    const inContext = AsyncLocalStorage.snapshot();
    return new Promise((resolve, reject) => {
      (isBackground ? background : live).push({ row, inContext, resolve, reject });
      if (!isBackground) liveAtMs = performance.now();
      // In a turn of its own: inputs that come in the same turn share the transaction.
      if (underWay < parallel) setImmediate(run);
    });
  };
}
