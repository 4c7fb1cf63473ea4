import { createRuntime, type Runtime } from '@switchyard/runtime';
import type { Logger } from 'pino';
import type { CallExecutors } from './calls/call.ts';
import { createCallProcessors } from './calls/create-call-processors.ts';
import { createExecutors } from './calls/create-executors.ts';
import type { FlowEngineConfig } from './config.ts';
import { createApplyInput } from './conversations/apply-input.ts';
import { createDrain } from './conversations/create-drain.ts';
import { createErasure } from './conversations/create-erasure.ts';
import { createInbox } from './conversations/create-inbox.ts';
import { createIntake } from './conversations/create-intake.ts';
import { createSessionWriter } from './conversations/create-session-writer.ts';
import { createGatherInput } from './conversations/gather-inputs.ts';
import { createSendRelease } from './conversations/release-sends.ts';
import { createReportApplied } from './conversations/report-applied.ts';
import { sweepInbox } from './conversations/sweep-inbox.ts';
import { createTakeInput } from './conversations/take-input.ts';
import { migrations } from './database/migrations.ts';
import type { FlowTables } from './database/tables.ts';
import { createFlowCache } from './definitions/create-flow-cache.ts';
import { createFlowStore } from './definitions/create-flow-store.ts';
import { installWelcomeFlow } from './definitions/install-welcome-flow.ts';
import { createFlowMetrics } from './metrics/create-flow-metrics.ts';
import { createFlowProcessors } from './processors/flows.ts';
import { registerDefinitions } from './routes/definitions.ts';
import { registerFlows } from './routes/flows.ts';
import { registerFunnels } from './routes/funnels.ts';
import { registerLibrary } from './routes/library.ts';
import { registerPictures } from './routes/pictures.ts';
import { registerRuns } from './routes/runs.ts';
import { registerStarts } from './routes/starts.ts';
import { createRunStore } from './runs/create-run-store.ts';
import { joinSends } from './runs/join-sends.ts';
import { pruneRuns } from './runs/prune-runs.ts';
import { resumeDueRuns } from './runs/resume-due-runs.ts';
import { createRunStarter } from './runs/start-runs.ts';
import { fireSchedules } from './schedules/fire-schedules.ts';
import { createFlowStatistics } from './statistics/create-flow-statistics.ts';

const SWEEP_INTERVAL_MS = 1000;
const TIMER_INTERVAL_MS = 500;
const SCHEDULE_INTERVAL_MS = 1000;
const OVERDUE_INTERVAL_MS = 5000;
const PURGE_INTERVAL_MS = 600_000;
const FOLD_INTERVAL_MS = 6 * 3_600_000;
const PRUNE_INTERVAL_MS = 3_600_000;
const DAY_MS = 86_400_000;
const LEASES_KEPT_MS = 3_600_000;

/**
 * Builds flow-engine; `start()` makes it listen and work.
 *
 * @param options.executors make the calls of these kinds instead of this installation's own.
 * @throws ConfigError one line that names the variable.
 */
export async function buildApp(
  config: FlowEngineConfig,
  { executors = {}, ...options }: { logger?: Logger; executors?: CallExecutors } = {},
): Promise<Runtime<FlowTables, FlowEngineConfig>> {
  const runtime = await createRuntime<FlowTables, FlowEngineConfig>({
    service: 'flow-engine',
    version: '0.1.0',
    config,
    migrations,
    joinJobs: joinSends,
    ...options,
  });
  try {
    await assemble(runtime, executors);
    return runtime;
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

async function assemble(
  runtime: Runtime<FlowTables, FlowEngineConfig>,
  executors: CallExecutors,
): Promise<void> {
  const { app, config, database, failedJobs, leases, logger, outbox, processedJobs } = runtime;
  const { dialect } = database;
  const owner = runtime.instanceId;
  if (await installWelcomeFlow(database)) logger.info('the welcome flow is installed');

  const flows = createFlowCache(database.db);
  const runs = createRunStore(database);
  const metrics = createFlowMetrics(runtime.metrics, runs);
  const inbox = createInbox({ database, processedJobs });
  const sends = createSendRelease({
    database,
    outbox,
    processedJobs,
    sendOrderWaitMs: config.flowSendOrderWaitMs,
  });
  const applyInput = createApplyInput({
    outbox,
    dialect,
    leases,
    flows,
    inbox,
    takeInput: createTakeInput({ flows }),
    gapWaitMs: config.flowGapWaitMs,
    sendOrderWaitMs: config.flowSendOrderWaitMs,
  });
  const report = createReportApplied({
    sessions: createSessionWriter({
      client: runtime.redis.cache,
      keyPrefix: runtime.redisSettings.cache.keyPrefix,
      logger,
    }),
    logger,
    count: metrics.countApplied,
  });
  const shared = { leases, inbox, applyInput, report, owner, leaseMs: config.flowLeaseMs, logger };
  const drain = createDrain({ ...shared, database, failedJobs });

  const flowStore = createFlowStore(database);
  registerFlows(app, { flows: flowStore, published: flows.published });
  registerDefinitions(app, { flows: flowStore });
  registerPictures(app, { flows: flowStore });
  registerLibrary(app, { flows: flowStore });
  registerStarts(app, { starter: createRunStarter({ outbox, flows: flowStore, runs }) });
  const statistics = createFlowStatistics(database);
  registerFunnels(app, { flows: flowStore, statistics });
  registerRuns(app, {
    runs,
    flows,
    db: database.db,
    onCancelled(run) {
      metrics.countCancelled();
      // What the person has said meanwhile may have waited for it.
      drain(run).catch((error) => logger.warn({ err: error, runId: run.id }, 'a sweeper drains later'));
    },
  });
  const erase = createErasure({
    database,
    outbox,
    leases,
    owner,
    cache: runtime.redis.cache,
    keyPrefix: runtime.redisSettings.cache.keyPrefix,
    forgetPerson: runtime.forgetPerson,
  });
  const gather = createGatherInput({ applyInput, parallel: dialect === 'mysql' ? 3 : 1, logger });
  const takeIn = createIntake({ inbox, gather, drain, report });
  const { shops, ...own } = await createExecutors(runtime);
  const calls = createCallProcessors({
    executors: { ...own, ...executors },
    takeIn,
    isWaiting: runs.isWaiting,
  });
  runtime.addWorker('flows', createFlowProcessors({ takeIn, sends, erase, calls, database, shops }));
  runtime.addWorker('ai', calls.ai);

  runtime.addTask({
    name: 'drain forgotten conversations',
    intervalMs: SWEEP_INTERVAL_MS,
    run: (signal) => sweepInbox(inbox, drain, signal),
  });
  runtime.addTask({
    name: 'resume due runs',
    intervalMs: TIMER_INTERVAL_MS,
    run: async (signal) =>
      void (await resumeDueRuns({ database, outbox, leases, owner, takeIn, logger }, signal)),
  });
  runtime.addTask({
    name: 'fire schedules',
    intervalMs: SCHEDULE_INTERVAL_MS,
    run: async () => void (await fireSchedules({ database, outbox, leases, owner, logger })),
  });
  runtime.addTask({
    name: 'send overdue messages',
    intervalMs: OVERDUE_INTERVAL_MS,
    async run() {
      const released = await sends.releaseOverdue();
      if (released > 0)
        logger.warn({ messages: released }, 'messages go out without a word of those before them');
    },
  });
  runtime.addTask({
    name: 'prune old runs',
    intervalMs: PRUNE_INTERVAL_MS,
    async run(signal) {
      const before = Date.now() - config.flowRunRetentionDays * DAY_MS;
      const pruned = await pruneRuns(database, before, signal);
      if (pruned > 0) logger.info({ runs: pruned }, 'runs that ended long ago are forgotten');
    },
  });
  runtime.addTask({
    name: 'fold old counters',
    intervalMs: FOLD_INTERVAL_MS,
    run: async () => void (await statistics.fold(Date.now())),
  });
  runtime.addTask({
    name: 'purge leases',
    intervalMs: PURGE_INTERVAL_MS,
    run: async () => void (await leases.purge(LEASES_KEPT_MS)),
  });
}
