import { createRateLimiter } from '@switchyard/redis';
import { createRuntime, DEFAULT_MERCHANT_ID, type Runtime } from '@switchyard/runtime';
import { adminScope, createLogger } from '@switchyard/service-kit';
import type { Logger } from 'pino';
import { createAlertIntake } from './alerts/create-alert-intake.ts';
import { createArchiveStore } from './archive/create-archive-store.ts';
import { createArchiveWriter } from './archive/create-archive-writer.ts';
import { createReplays } from './archive/create-replays.ts';
import type { IngressConfig } from './config.ts';
import { createCustomIntake } from './custom/create-custom-intake.ts';
import { migrations } from './database/migrations.ts';
import type { IngressTables } from './database/tables.ts';
import { createBodyBudget } from './intake/create-body-budget.ts';
import { createDurableAdd } from './intake/create-durable-add.ts';
import { createEventIntake } from './intake/create-event-intake.ts';
import { createMemoryGuard } from './intake/create-memory-guard.ts';
import { createReplay } from './intake/create-replay.ts';
import { createSeenEvents } from './intake/create-seen-events.ts';
import { createUnroutedAlerts } from './intake/create-unrouted-alerts.ts';
import { createUnroutedEvents } from './intake/create-unrouted-events.ts';
import { createWriteGatherer } from './intake/create-write-gatherer.ts';
import { createIntakeMetrics, type IntakeSource } from './intake/intake-metrics.ts';
import { createApiKeys } from './merchants/create-api-keys.ts';
import { createApps } from './merchants/create-apps.ts';
import { createDirectory } from './merchants/create-directory.ts';
import { createMerchants } from './merchants/create-merchants.ts';
import { createSources } from './merchants/create-sources.ts';
import { createSubscriptions } from './merchants/create-subscriptions.ts';
import { ensureFirstMerchant } from './merchants/ensure-first-merchant.ts';
import { resealSecrets } from './merchants/reseal-secrets.ts';
import { resolveTokenKeys } from './merchants/resolve-token-keys.ts';
import { createDataRequests } from './privacy/create-data-requests.ts';
import { createErasures } from './privacy/create-erasures.ts';
import { eraseOwn } from './privacy/erase-own.ts';
import { createControlProcessors } from './processors/create-control-processors.ts';
import { createQueueWatch } from './recovery/create-queue-watch.ts';
import { createRecoveries } from './recovery/create-recoveries.ts';
import { registerArchive } from './routes/register-archive.ts';
import { registerCustomWebhooks } from './routes/register-custom-webhooks.ts';
import { registerMerchants } from './routes/register-merchants.ts';
import { registerPrivacy } from './routes/register-privacy.ts';
import { registerSessions } from './routes/register-sessions.ts';
import { registerShopifyWebhook } from './routes/register-shopify-webhook.ts';
import { registerSources } from './routes/register-sources.ts';
import { registerTokens } from './routes/register-tokens.ts';
import { registerUnroutedEvents } from './routes/register-unrouted-events.ts';
import { registerWhatsappWebhook } from './routes/register-whatsapp-webhook.ts';
import { createShopifyIntake } from './shopify/create-shopify-intake.ts';
import { createFindSigner } from './signatures/create-find-signer.ts';
import { createWebhookIntake } from './whatsapp/create-webhook-intake.ts';

const VERSION = '0.1.0';
const MEMORY_LOOK_MS = 1000;
const QUEUE_LOOK_MS = 1000;
const REPLAY_LOOK_MS = 2000;
const UNROUTED_LOOK_MS = 10_000;
const ERASE_LOOK_MS = 3000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The law gives 30 days to answer; after some more, nobody fetches it any longer. */
const DATA_REQUESTS_KEPT_MS = 60 * DAY_MS;

/**
 * Builds ingress: the runtime, its tables, the stores, the routes, the worker of `control`. It neither listens nor works before
 * `start()`.
 *
 * @throws ConfigError one line that names the variable.
 */
export async function buildApp(
  config: IngressConfig,
  options: { logger?: Logger } = {},
): Promise<Runtime<IngressTables, IngressConfig>> {
  const logger = options.logger ?? createLogger({ service: 'ingress', level: config.logLevel });
  const tokenKeys = resolveTokenKeys(config, logger);
  const runtime = await createRuntime<IngressTables, IngressConfig>({
    service: 'ingress',
    version: VERSION,
    config: { ...config, tokenPublicKey: tokenKeys.publicKeys },
    migrations,
    logger,
  });
  try {
    await assemble(runtime, tokenKeys);
  } catch (error) {
    await runtime.close();
    throw error;
  }
  return runtime;
}

async function assemble(
  runtime: Runtime<IngressTables, IngressConfig>,
  { issuer, publicKeys }: ReturnType<typeof resolveTokenKeys>,
): Promise<void> {
  const { app, config, database, logger, producer, redis, redisSettings, secretBox } = runtime;

  const directory = createDirectory({ db: database.db, secretBox, logger });
  const merchants = createMerchants({ database, directory });
  const apps = createApps({ database, secretBox, directory });
  const sources = createSources({ database, outbox: runtime.outbox, directory });
  const holder = { subject: 'api-key', merchantId: DEFAULT_MERCHANT_ID, scopes: ['*', adminScope] };
  const environmentKey = config.apiKey === undefined ? undefined : { key: config.apiKey, holder };
  const apiKeys = createApiKeys({ database, environmentKey });
  const unrouted = createUnroutedEvents({ database });
  await resealSecrets({ database, secretBox, logger });
  await ensureFirstMerchant(config, { merchants, apps, sources });

  const metrics = createIntakeMetrics(runtime.metrics);
  const memory = createMemoryGuard({ client: redis.queue, limitPercent: config.queueMemoryLimitPercent });
  const seen = createSeenEvents({
    client: redis.dedup,
    keyPrefix: redisSettings.dedup.keyPrefix,
    ttlSeconds: redisSettings.webhookTtlSeconds,
    logger,
  });
  const budget = createBodyBudget(config.bodyBudgetBytes);
  runtime.metrics.gauge('ingress_body_bytes', 'Bytes of webhook bodies in memory now.', [], (set) =>
    set({}, budget.takenBytes),
  );
  const archiveStore = createArchiveStore({ database });
  const archive =
    config.archiveRetentionDays === 0
      ? undefined
      : createArchiveWriter({
          store: archiveStore,
          isStrict: config.isStrict,
          metrics: runtime.metrics,
          logger,
        });
  if (archive) runtime.onClose('archive', () => archive.close());
  const gatherWrites = createWriteGatherer(redis.queue);
  const intakeOf = (source: IntakeSource) =>
    createEventIntake({ seen, producer, unrouted, memory, archive, metrics: metrics[source], gatherWrites });
  const findSigner = createFindSigner();
  const whatsapp = createWebhookIntake({ directory, findSigner, intake: intakeOf('whatsapp') });
  const shopify = createShopifyIntake({
    directory,
    findSigner,
    intake: intakeOf('shopify'),
    addDurably: createDurableAdd(runtime.outbox),
  });
  const custom = createCustomIntake({ directory, intake: intakeOf('custom') });
  const alerts = createAlertIntake(intakeOf('alertmanager'));
  const replay = createReplay({
    whatsapp: whatsapp.replay,
    shopify: shopify.replay,
    custom: custom.replay,
    alertmanager: ({ body }, meta) => alerts.take(body, meta),
  });
  const failures =
    config.authFailuresPerMinute === 0
      ? undefined
      : createRateLimiter({
          client: redis.cache,
          logger,
          points: config.authFailuresPerMinute,
          durationSeconds: 60,
          keyPrefix: 'ingress:token-failure',
        });

  await registerWhatsappWebhook(app, { directory, intake: whatsapp, budget });
  await registerShopifyWebhook(app, { intake: shopify, budget });
  await registerCustomWebhooks(app, {
    custom,
    alerts,
    alertmanagerToken: config.alertmanagerToken,
    budget,
  });
  await registerTokens(app, { apiKeys, issuer, publicKeys, failures });
  await registerMerchants(app, { merchants, apiKeys });
  await registerSources(app, { merchants, apps, sources });
  await registerUnroutedEvents(app, { unrouted, replay });
  const { leases, instanceId: owner, outbox } = runtime;
  const erasures = createErasures({ database, outbox, secretBox });
  const dataRequests = createDataRequests({ database, outbox, secretBox, archive: archiveStore });
  await registerPrivacy(app, { erasures, dataRequests });
  const replays = createReplays({ database, store: archiveStore, leases, replay, owner, logger });
  const watch =
    archive &&
    createQueueWatch({
      client: redis.queue,
      key: `sw:ingress:${runtime.bullPrefix}:beats`,
      archive,
      recoveries: createRecoveries({ database }),
      metrics: runtime.metrics,
      logger,
    });
  // Once before any webhook is taken: what this run of Redis is to remember begins here.
  await watch?.look();
  await registerArchive(app, { store: archiveStore, replays, merchants });
  await registerSessions(app, {
    client: redis.cache,
    keyPrefix: redisSettings.cache.keyPrefix,
    production: config.environment === 'production',
  });

  runtime.addWorker(
    'control',
    createControlProcessors({
      subscriptions: createSubscriptions({ database, outbox }),
      sources,
      erasures,
      dataRequests,
    }),
  );
  runtime.addTask({ name: 'look at queue memory', intervalMs: MEMORY_LOOK_MS, run: () => memory.look() });
  if (watch) runtime.addTask({ name: 'watch the queue Redis', intervalMs: QUEUE_LOOK_MS, run: watch.look });
  const unroutedAlerts = createUnroutedAlerts({ unrouted, producer });
  runtime.addTask({
    name: 'tell of unrouted events',
    intervalMs: UNROUTED_LOOK_MS,
    run: unroutedAlerts.run,
  });
  runtime.addTask({ name: 'replay from the archive', intervalMs: REPLAY_LOOK_MS, run: replays.run });
  runtime.addTask({
    name: 'erase from the archive',
    intervalMs: ERASE_LOOK_MS,
    run: (signal) =>
      eraseOwn(
        { database, archive: archiveStore, erasures, leases, owner, forgetPerson: runtime.forgetPerson },
        signal,
      ),
  });
  runtime.addTask({
    name: 'purge data requests',
    intervalMs: HOUR_MS,
    run: async () => void (await dataRequests.purge(Date.now() - DATA_REQUESTS_KEPT_MS)),
  });
  runtime.addTask({
    name: 'purge the archive',
    intervalMs: HOUR_MS,
    run: async () => void (await archiveStore.purge(Date.now() - config.archiveRetentionDays * DAY_MS)),
  });
  runtime.addTask({
    name: 'purge unrouted events',
    intervalMs: HOUR_MS,
    run: async () => void (await unrouted.purge(Date.now() - config.unroutedRetentionDays * DAY_MS)),
  });
}
