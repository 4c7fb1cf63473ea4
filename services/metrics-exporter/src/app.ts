import { createRuntime, type Runtime } from '@switchyard/runtime';
import type { Logger } from 'pino';
import { type MetricsExporterConfig, readWaitingLimits } from './config.ts';
import { migrations } from './database/migrations.ts';
import type { MetricsExporterTables } from './database/tables.ts';
import { createRollUpPeriod } from './processors/roll-up-period.ts';
import { createQueueFigures } from './queues/create-queue-figures.ts';
import { registerQueues } from './routes/queues.ts';
import { registerSnapshots } from './routes/snapshots.ts';

/**
 * Builds metrics-exporter; `start()` makes it listen and work.
 *
 * @throws ConfigError one line that names the variable.
 */
export async function buildApp(
  config: MetricsExporterConfig,
  options: { logger?: Logger } = {},
): Promise<Runtime<MetricsExporterTables, MetricsExporterConfig>> {
  const runtime = await createRuntime<MetricsExporterTables, MetricsExporterConfig>({
    service: 'metrics-exporter',
    version: '0.1.0',
    config,
    migrations,
    ...options,
  });
  const { app, database, logger } = runtime;
  const figures = createQueueFigures({
    connection: runtime.redis.queue,
    prefix: runtime.bullPrefix,
    waitingLimitOf: readWaitingLimits(config),
  });

  registerQueues(app, { figures, logger });
  registerSnapshots(app, { database });

  runtime.addWorker('analytics', { 'roll-up-period': createRollUpPeriod({ database }) });
  return runtime;
}
