import { isUniqueViolation } from '@switchyard/database';
import { createSharedBreaker } from '@switchyard/redis';
import { createRuntime, type Runtime } from '@switchyard/runtime';
import type { Logger } from 'pino';
import type { ServiceConfig } from './config.ts';
import { createContactChanges } from './contacts/change-contact.ts';
import { migrations } from './database/migrations.ts';
import type { Scope, Store } from './database/scope.ts';
import type { Tables } from './database/tables.ts';
import type { FirstTime } from './inbound/receive-message.ts';
import { createRecorder } from './messages/recorder.ts';
import { createAdmission } from './pacing/create-admission.ts';
import { createContactProcessors } from './processors/contacts.ts';
import {
  createReceiveCustomEvent,
  createReceiveMessage,
  createReceiveShopifyEvent,
} from './processors/inbound.ts';
import { createDeliverMessage, createSendMessage } from './processors/messages.ts';
import {
  createApplyAccountUpdate,
  createApplyPreferences,
  createApplyStatuses,
} from './processors/receipts.ts';
import { createReceiptsBacklog } from './receipts/create-receipts-backlog.ts';
import { registerRoutes } from './routes/register-routes.ts';
import { ensureFirstSender } from './senders/ensure-first-sender.ts';
import { createSenderDirectory } from './senders/sender-directory.ts';
import { createAttemptStore } from './sending/attempt-store.ts';
import { createCloudApi } from './sending/cloud-api.ts';
import { createSending, isTroubledCall } from './sending/create-sending.ts';
import { dispatchDue } from './sending/dispatch-due.ts';
import { createLeasedTask } from './sending/leased-task.ts';
import { parkOrphans, releaseParked } from './sending/reconcile-parked.ts';
import { createTemplateHolds } from './sending/template-holds.ts';
import { createEventSubscriptions, type EventSubscriptions } from './subscriptions/event-subscriptions.ts';
import { gatherEvents } from './subscriptions/gather-events.ts';

/** The running service. */
export type CampaignSender = Pick<Runtime<Tables>, 'app' | 'database' | 'start' | 'close'>;

/** Version told by `/health` and `/docs`. */
const VERSION = '0.1.0';
const DISPATCH_INTERVAL_MS = 500;
const DISPATCH_HORIZON_MS = 1000;
const LEASE_MS = 5000;
/** How late a replica that did not take the announcement learns what a merchant wants. */
const SUBSCRIPTIONS_INTERVAL_MS = 2000;
const UNIQUE_RETRIES = 3;

/**
 * Builds campaign-sender: database, Redis, routes, workers, reconcilers. Nothing runs before `start()`.
 *
 * @param options `logger` for tests; the runtime makes one otherwise.
 * @throws ConfigError one line that names the variable at fault.
 */
export async function buildApp(
  config: ServiceConfig,
  options: { logger?: Logger } = {},
): Promise<CampaignSender> {
  const runtime = await createRuntime<Tables, ServiceConfig>({
    service: 'campaign-sender',
    version: VERSION,
    // The pace of sending is per number: a limit of the whole queue would make numbers wait for one another.
    config: { ...config, QUEUE_MESSAGES_RATE_MAX: undefined, QUEUE_MESSAGES_RATE_DURATION: undefined },
    migrations,
    ...options,
  });
  try {
    await assemble(runtime, config);
  } catch (error) {
    await runtime.close();
    throw error;
  }
  return runtime;
}

async function assemble(runtime: Runtime<Tables, ServiceConfig>, config: ServiceConfig): Promise<void> {
  const { logger, redis, redisSettings, secretBox } = runtime;
  const { db, dialect } = runtime.database;
  const subscriptions = createEventSubscriptions(db, dialect);
  await subscriptions.refresh();
  runtime.addTask({
    name: 'read subscriptions',
    intervalMs: SUBSCRIPTIONS_INTERVAL_MS,
    run: () => subscriptions.refresh(),
  });
  const store: Store = { db, dialect, inScope: createInScope(runtime, subscriptions), now: Date.now };
  const firstTime: FirstTime = (trx, jobId) => runtime.processedJobs.firstTime(trx, jobId);

  const max = config.QUEUE_MESSAGES_RATE_MAX;
  const durationMs = config.QUEUE_MESSAGES_RATE_DURATION ?? 60_000;
  const senders = createSenderDirectory({
    db,
    secretBox,
    logger,
    defaultRate: max === undefined ? undefined : { max, durationMs },
  });
  const templates = createTemplateHolds(db);
  const admission = createAdmission(redis.queue, redisSettings.queue.keyPrefix);
  const api = createCloudApi({
    url: config.whatsappApiUrl,
    version: config.whatsappApiVersion,
    timeoutMs: config.sendHttpTimeoutMs,
    connections: config.sendConnections,
  });
  runtime.onClose('cloud api', () => api.close());
  const breaker = createSharedBreaker({
    client: redis.queue,
    logger,
    name: 'sender',
    isFailure: isTroubledCall,
    minimumFailures: 20,
    openMs: 5000,
    maxOpenMs: 60_000,
  });
  const attempts = createAttemptStore(store);
  const recorder = createRecorder(store, senders);
  const sending = createSending({
    store,
    attempts,
    senders,
    templates,
    admission,
    breaker,
    api,
    graceMs: config.sendUnknownGraceMs,
    logger,
  });

  await ensureFirstSender(db, secretBox, config);
  registerRoutes(runtime.app, { store, senders, recorder, attempts, secretBox });

  const inbound = { store, firstTime, senders, admission };
  runtime.addWorker('inbound', {
    'receive-message': createReceiveMessage(inbound),
    'receive-shopify-event': createReceiveShopifyEvent(inbound),
    'receive-custom-event': createReceiveCustomEvent(inbound),
  });
  const receipts = { store, firstTime, senders, templates };
  runtime.addWorker('receipts', {
    'apply-statuses': createApplyStatuses(receipts),
    'apply-account-update': createApplyAccountUpdate(receipts),
    'apply-preferences': createApplyPreferences(receipts),
  });
  runtime.addWorker(
    'contacts',
    createContactProcessors(createContactChanges(store, firstTime), { store, firstTime, subscriptions }),
  );
  runtime.addWorker('messages', {
    'send-message': createSendMessage(recorder, sending),
    'deliver-message': createDeliverMessage(db, sending),
  });

  const times = {
    timeoutMs: config.sendHttpTimeoutMs,
    graceMs: config.sendUnknownGraceMs,
    parkedMaxMs: config.sendParkedMaxMs,
    recheckMs: Math.min(5000, config.sendUnknownGraceMs),
  };
  const backlog = createReceiptsBacklog(redis.queue, runtime.bullPrefix);
  const reconciler = createLeasedTask(
    runtime.leases,
    { name: 'campaign-sender.reconciler', owner: runtime.instanceId, ttlMs: LEASE_MS },
    async () => {
      await parkOrphans(store, times);
      await releaseParked(store, attempts, backlog, times);
      await dispatchDue(store, runtime.producer, senders, DISPATCH_HORIZON_MS);
    },
  );
  runtime.addTask({
    name: 'reconcile messages',
    intervalMs: DISPATCH_INTERVAL_MS,
    run: (signal) => reconciler.run(signal),
  });
  runtime.onClose('reconciler lease', () => reconciler.release());
}

/**
 * Transactions with the outbox. Two processes that meet the same new person at the same time collide on a unique key: the second
 * looks again and finds him. What the merchant's endpoints are to hear of goes out in one batch, or not at all where nobody listens.
 */
function createInScope(
  { outbox }: Runtime<Tables, ServiceConfig>,
  subscriptions: Pick<EventSubscriptions, 'wants'>,
): Store['inScope'] {
  return async <T>(work: (scope: Scope) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await outbox.transaction(async (trx, enqueue) => {
          const gathered = gatherEvents(enqueue, subscriptions);
          const result = await work({ trx, enqueue: gathered.enqueue });
          gathered.flush();
          return result;
        });
      } catch (error) {
        if (attempt >= UNIQUE_RETRIES || !isUniqueViolation(error)) throw error;
      }
    }
  };
}
