import { createRateLimiter } from '@switchyard/redis';
import { createRuntime, type Runtime } from '@switchyard/runtime';
import type { Logger } from 'pino';
import { createBoardAudit } from './board/create-board-audit.ts';
import { createLogin } from './board/login.ts';
import { openBoardQueues } from './board/open-board-queues.ts';
import { registerBoard } from './board/register-board.ts';
import { type MetricsExporterConfig, readWaitingLimits } from './config.ts';
import { migrations } from './database/migrations.ts';
import type { MetricsExporterTables } from './database/tables.ts';
import { createRollUpPeriod } from './processors/roll-up-period.ts';
import { registerQueueMetrics } from './prometheus/register-queue-metrics.ts';
import { registerRedisMetrics } from './prometheus/register-redis-metrics.ts';
import { createQueueFigures } from './queues/create-queue-figures.ts';
import { registerBoardActions } from './routes/board-actions.ts';
import { registerQueues } from './routes/queues.ts';
import { registerSnapshots } from './routes/snapshots.ts';

const HOUR_MS = 3_600_000;

/** metrics-exporter, built. */
export type MetricsExporter = Runtime<MetricsExporterTables, MetricsExporterConfig>;

/**
 * Builds metrics-exporter; `start()` makes it listen and work.
 *
 * @throws ConfigError one line that names the variable.
 */
export async function buildApp(
  config: MetricsExporterConfig,
  options: { logger?: Logger } = {},
): Promise<MetricsExporter> {
  const runtime = await createRuntime<MetricsExporterTables, MetricsExporterConfig>({
    service: 'metrics-exporter',
    version: '0.1.0',
    config,
    migrations,
    ...options,
  });
  try {
    await addParts(runtime);
  } catch (error) {
    await runtime.close();
    throw error;
  }
  return runtime;
}

async function addParts(runtime: MetricsExporter): Promise<void> {
  const { app, config, database, logger, metrics, redis, redisSettings, bullPrefix } = runtime;
  const figures = createQueueFigures({
    connection: redis.queue,
    prefix: bullPrefix,
    db: redisSettings.queue.db,
    waitingLimitOf: readWaitingLimits(config),
  });
  const audit = createBoardAudit(database);
  const boardQueues = openBoardQueues(redisSettings.queue, { prefix: bullPrefix, logger });
  runtime.onClose('board queues', () => boardQueues.close());

  registerQueues(app, { figures, logger });
  registerBoardActions(app, { audit });
  registerSnapshots(app, { database });
  registerQueueMetrics(metrics.registry, figures);
  registerRedisMetrics(metrics.registry, { clients: redis, settings: redisSettings });
  await registerBoard(app, {
    queueOf: (name) => boardQueues.producer.queue(name),
    checkLogin: createLogin({
      username: config.bullBoardUsername,
      password: config.bullBoardPassword,
      failures: createRateLimiter({
        client: redis.cache,
        logger,
        points: config.bullBoardFailuresPerMinute - 1,
        durationSeconds: 60,
        keyPrefix: 'board-login',
      }),
    }),
    operator: config.bullBoardUsername,
    audit,
    environment: config.environment,
  });

  runtime.addWorker('analytics', { 'roll-up-period': createRollUpPeriod({ database }) });
  runtime.addTask({ name: "purge operators' actions", intervalMs: HOUR_MS, run: () => audit.purge() });
}
