import { setTimeout as delay } from 'node:timers/promises';
import { defineError } from '@switchyard/errors';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { runTakeScript, runUpdateScript } from './budget-script.ts';
import {
  type BudgetReport,
  type BudgetState,
  freshBudget,
  takeBudget,
  updateBudget,
} from './budget-state.ts';
import { type RedisClient, roleOf } from './redis-client.ts';
import { createRedisGuard } from './redis-guard.ts';

/** The provider's budget is spent for longer than is waited in place. `delayMs` says when to come back. */
export const budgetSpent = defineError('BUDGET_SPENT', 503, 'later');

/** One call costs more than the provider's whole bucket holds. */
export const budgetTooSmall = defineError('BUDGET_TOO_SMALL', 422, 'never');

/** A provider's budget of points (Shopify's cost bucket), known to all instances (R3.7). */
export interface Budget {
  /**
   * Books points for a call, in the order of asking.
   *
   * @param key whose bucket: app and shop.
   * @returns ms to wait before making the call. More than `maxWaitMs`: nothing was booked, ask again then.
   * @throws BUDGET_TOO_SMALL (`never`).
   */
  take(key: string, cost: number): Promise<number>;
  /**
   * Books points and waits for them.
   * @throws BUDGET_SPENT (`later`) at once where the wait would be longer than `maxWaitMs`; BUDGET_TOO_SMALL.
   */
  wait(key: string, cost: number, signal?: AbortSignal): Promise<void>;
  /**
   * Tells what the provider answered.
   * @param settledCost what was booked for the call that was answered. Without it the estimate only goes down.
   */
  update(key: string, report: BudgetReport, settledCost?: number): Promise<void>;
}

/** Settings of {@link createBudget}. */
export interface BudgetOptions {
  /** A client of the queue role: a budget must not be evicted. */
  client: RedisClient;
  logger: Logger;
  /** Tells providers apart, such as `shopify`; part of the Redis key. */
  name: string;
  /** The bucket to assume until the provider's first answer: the smallest that any account has. */
  assumed: Omit<BudgetReport, 'available'>;
  /** Longest wait that is booked, 10 s by default, at most 60 s. */
  maxWaitMs?: number;
  /** How long a call waits for Redis, 1 s by default. */
  timeoutMs?: number;
}

/** Makes a shared budget. While Redis is away each instance keeps its own books, with a warning. */
export function createBudget(options: BudgetOptions): Budget {
  const { client, logger, name, assumed, timeoutMs = 1000 } = options;
  const maxWaitMs = Math.min(options.maxWaitMs ?? 10_000, 60_000);
  const { role, keyPrefix } = roleOf(client, 'queue');
  const fallback = 'provider budgets within this process only';
  const guard = createRedisGuard({ client, logger, role, fallback, timeoutMs });
  const states = new LRUCache<string, BudgetState>({ max: 20_000 });
  const redisKey = (key: string) => `${keyPrefix}sw:budget:${name}:${key}`;

  function stateOf(key: string): BudgetState {
    const state = states.get(key) ?? freshBudget(assumed, Date.now());
    states.set(key, state);
    return state;
  }

  async function take(key: string, cost: number): Promise<number> {
    if (!Number.isFinite(cost) || cost < 0) throw new RangeError('a cost must not be negative');
    const { waitMs, maximum } = await guard.run(
      () => runTakeScript(client, redisKey(key), cost, maxWaitMs, assumed),
      () => {
        const state = stateOf(key);
        return { waitMs: takeBudget(state, cost, maxWaitMs, Date.now()), maximum: state.maximum };
      },
    );
    if (cost > maximum)
      throw budgetTooSmall('the call costs more than the budget holds', { details: { cost, maximum } });
    return waitMs;
  }

  return {
    take,
    async wait(key, cost, signal) {
      const waitMs = await take(key, cost);
      if (waitMs > maxWaitMs) throw budgetSpent('the budget is spent', { delayMs: waitMs });
      if (waitMs > 0) await delay(waitMs, undefined, signal === undefined ? {} : { signal });
    },
    update(key, report, settledCost) {
      // Kept in both places: when Redis goes away, this process starts from what it last heard.
      updateBudget(stateOf(key), report, settledCost, Date.now());
      return guard.run(
        () => runUpdateScript(client, redisKey(key), report, settledCost),
        () => undefined,
      );
    },
  };
}
