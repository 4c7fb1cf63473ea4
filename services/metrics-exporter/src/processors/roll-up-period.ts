import { type Database, upsert } from '@switchyard/database';
import type { JobPayload, Processor } from '@switchyard/jobs';
import type { MetricsExporterTables } from '../database/tables.ts';

/**
 * Keeps the figures of a finished period.
 *
 * Twice is harmless: a period has one row per merchant and owner, and the figures that come later replace the earlier ones.
 */
export function createRollUpPeriod(deps: {
  database: Database<MetricsExporterTables>;
}): Processor<JobPayload<'analytics', 'roll-up-period'>> {
  const { database } = deps;
  return async ({ merchantId, owner, period, startsAtMs, endsAtMs, figures }) => {
    const row = {
      merchantId,
      owner,
      period,
      startsAtMs,
      endsAtMs,
      figures: JSON.stringify(figures),
      recordedAtMs: Date.now(),
    };
    await upsert(
      database.db,
      database.dialect,
      'analyticsSnapshots',
      [row],
      ['merchantId', 'period', 'startsAtMs', 'owner'],
      ['endsAtMs', 'figures', 'recordedAtMs'],
    );
  };
}
