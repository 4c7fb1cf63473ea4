import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { AiBudgets } from '../ai/ai-budgets.ts';

const limit = (description: string) =>
  Type.Union([Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 }), Type.Null()], { description });
const budget = {
  dailyTokens: limit('Tokens that go in and come out, together; null: without a limit.'),
  dailyCostMicros: limit(
    "Millionths of the currency's unit, by the providers' prices; null: without a limit.",
  ),
};
const BudgetView = Type.Object({ ...budget, usedTokens: Type.Integer(), usedCostMicros: Type.Integer() });

/** Routes for what a merchant may use up of AI on one day. */
export function registerAiBudgets(app: ServiceApp, { budgets }: { budgets: AiBudgets }): void {
  const tags = ['ai'];

  app.get(
    '/api/v1/ai-budget',
    {
      preHandler: requireScope('ai:read'),
      schema: {
        tags,
        summary: 'The budget for AI of a day (UTC), and what of it is used up today.',
        response: { 200: ok(BudgetView) },
      },
    },
    async ({ principal }) => succeed(await budgets.show(principal.merchantId)),
  );

  app.put(
    '/api/v1/ai-budget',
    {
      preHandler: requireScope('ai:write'),
      schema: {
        tags,
        summary:
          'Sets the budget. Once it is used up, AI nodes fail with AI_BUDGET_SPENT: their fallback runs.',
        body: Type.Object(budget, { additionalProperties: false }),
        response: { 200: ok(BudgetView) },
      },
    },
    async ({ principal, body }) => succeed(await budgets.set(principal.merchantId, body)),
  );
}
