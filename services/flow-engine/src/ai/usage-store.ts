import { type Database, insertIgnore } from '@switchyard/database';
import type { AiUsageTable, FlowTables } from '../database/tables.ts';
import type { AiProvider } from './provider-store.ts';

/** What one call used. */
export interface UsedByCall {
  purpose: AiUsageTable['purpose'];
  model: string;
  outcome: 'answered' | 'failed';
  inputTokens: number;
  outputTokens: number;
  audioSeconds: number;
}

/** What AI was used for and what it cost, by merchant, day, provider, model and purpose. */
export interface UsageStore {
  /** Adds one call. @returns its cost in millionths of the currency's unit. */
  add(provider: AiProvider, used: UsedByCall): Promise<number>;
  /** @param range days as `YYYY-MM-DD`, both included. */
  list(merchantId: string, range: { from: string; to: string }): Promise<AiUsageTable[]>;
}

/** Makes the store of usage. Calls are counted as they are made: one that is made again costs again. */
export function createUsageStore(deps: {
  database: Database<FlowTables>;
  count: (labels: { kind: 'input' | 'output'; purpose: string }, tokens: number) => void;
}): UsageStore {
  const { db, dialect } = deps.database;
  return {
    async add(provider, { purpose, model, outcome, inputTokens, outputTokens, audioSeconds }) {
      if (inputTokens > 0) deps.count({ kind: 'input', purpose }, inputTokens);
      if (outputTokens > 0) deps.count({ kind: 'output', purpose }, outputTokens);
      const costMicros = Math.round(
        inputTokens * provider.inputPrice +
          outputTokens * provider.outputPrice +
          (audioSeconds / 60) * provider.minutePrice * 1_000_000,
      );
      const key = {
        merchantId: provider.merchantId,
        day: new Date().toISOString().slice(0, 10),
        providerId: provider.id,
        model: model.slice(0, 128),
        purpose,
      };
      const nothing = {
        calls: 0,
        failures: 0,
        inputTokens: 0,
        outputTokens: 0,
        audioSeconds: 0,
        costMicros: 0,
      };
      await insertIgnore(
        db,
        dialect,
        'aiUsage',
        [{ ...key, ...nothing }],
        ['merchantId', 'day', 'providerId', 'model', 'purpose'],
      );
      await db
        .updateTable('aiUsage')
        .set((eb) => ({
          calls: eb('calls', '+', 1),
          failures: eb('failures', '+', outcome === 'failed' ? 1 : 0),
          inputTokens: eb('inputTokens', '+', inputTokens),
          outputTokens: eb('outputTokens', '+', outputTokens),
          audioSeconds: eb('audioSeconds', '+', Math.round(audioSeconds)),
          costMicros: eb('costMicros', '+', costMicros),
        }))
        .where('merchantId', '=', key.merchantId)
        .where('day', '=', key.day)
        .where('providerId', '=', key.providerId)
        .where('model', '=', key.model)
        .where('purpose', '=', key.purpose)
        .execute();
      return costMicros;
    },
    list: (merchantId, { from, to }) =>
      db
        .selectFrom('aiUsage')
        .selectAll()
        .where('merchantId', '=', merchantId)
        .where('day', '>=', from)
        .where('day', '<=', to)
        .orderBy('day')
        .orderBy('providerId')
        .orderBy('model')
        .orderBy('purpose')
        .limit(10_000)
        .execute(),
  };
}
