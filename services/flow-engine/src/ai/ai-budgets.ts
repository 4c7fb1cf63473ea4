import { type Database, upsert } from '@switchyard/database';
import { sql } from 'kysely';
import type { FlowTables } from '../database/tables.ts';
import { aiBudgetSpent } from '../errors.ts';

/** What a merchant may use up on one day (UTC); null: without a limit. */
export interface AiBudget {
  /** Tokens that go in and come out, together. */
  dailyTokens: number | null;
  /** Millionths of the currency's unit, by the providers' prices. */
  dailyCostMicros: number | null;
}

/** A budget, and what of it is used up today. */
export interface AiBudgetView extends AiBudget {
  usedTokens: number;
  usedCostMicros: number;
}

/** Budgets of merchants for AI. */
export interface AiBudgets {
  show(merchantId: string): Promise<AiBudgetView>;
  /** Sets the merchant's own; it takes the place of the installation's. */
  set(merchantId: string, budget: AiBudget): Promise<AiBudgetView>;
  /**
   * Lets a call through unless the day's budget is used up. What is under way has not been counted yet, so that a budget may be passed by
   * as many calls as are made at once.
   *
   * @throws AI_BUDGET_SPENT
   */
  check(merchantId: string): Promise<void>;
}

/**
 * Makes the budgets.
 *
 * @param settings.dailyTokens of merchants that have none of their own; 0: without a limit.
 */
export function createAiBudgets(settings: {
  database: Database<FlowTables>;
  dailyTokens: number;
}): AiBudgets {
  const { db, dialect } = settings.database;
  const general: AiBudget = { dailyTokens: settings.dailyTokens || null, dailyCostMicros: null };

  async function budgetOf(merchantId: string): Promise<AiBudget> {
    const own = await db
      .selectFrom('aiBudgets')
      .select(['dailyTokens', 'dailyCostMicros'])
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    return own ?? general;
  }

  async function show(merchantId: string): Promise<AiBudgetView> {
    const budget = await budgetOf(merchantId);
    return { ...budget, ...(await usedToday(merchantId)) };
  }

  async function usedToday(merchantId: string) {
    const used = await db
      .selectFrom('aiUsage')
      .select([
        sql<number | string | null>`sum(inputTokens + outputTokens)`.as('tokens'),
        sql<number | string | null>`sum(costMicros)`.as('cost'),
      ])
      .where('merchantId', '=', merchantId)
      .where('day', '=', new Date().toISOString().slice(0, 10))
      .executeTakeFirst();
    // Sums come as text from MySQL.
    return { usedTokens: Number(used?.tokens ?? 0), usedCostMicros: Number(used?.cost ?? 0) };
  }

  return {
    show,
    async set(merchantId, { dailyTokens, dailyCostMicros }) {
      await upsert(
        db,
        dialect,
        'aiBudgets',
        [{ merchantId, dailyTokens, dailyCostMicros, updatedAtMs: Date.now() }],
        ['merchantId'],
        ['dailyTokens', 'dailyCostMicros', 'updatedAtMs'],
      );
      return show(merchantId);
    },
    async check(merchantId) {
      const { dailyTokens, dailyCostMicros } = await budgetOf(merchantId);
      if (dailyTokens === null && dailyCostMicros === null) return;
      const { usedTokens, usedCostMicros } = await usedToday(merchantId);
      if (dailyTokens !== null && usedTokens >= dailyTokens)
        throw aiBudgetSpent(`the day's budget of ${dailyTokens} tokens is used up`);
      if (dailyCostMicros !== null && usedCostMicros >= dailyCostMicros)
        throw aiBudgetSpent(`the day's budget of ${dailyCostMicros / 1_000_000} is used up`);
    },
  };
}
