import { createFileStore } from '@switchyard/files';
import { resolveQueueOverrides, settingsOf } from '@switchyard/jobs';
import { createRuntime, type Runtime } from '@switchyard/runtime';
import type { Logger } from 'pino';
import type { ServiceConfig } from './config.ts';
import { createContactChanges } from './contacts/change-contact.ts';
import { createPeopleSettings } from './conversations/people-settings.ts';
import { createGroupCommit } from './database/group-commit.ts';
import { createInScope } from './database/in-scope.ts';
import { migrations } from './database/migrations.ts';
import type { Store } from './database/scope.ts';
import type { Tables } from './database/tables.ts';
import type { FirstTime, FirstTimeMany } from './inbound/receive-messages.ts';
import { assembleMedia } from './media-in/assemble-media.ts';
import { assembleMessages } from './messages/assemble-messages.ts';
import { createWakeUps } from './messages/create-wake-ups.ts';
import { createCandidateLoader } from './messages/message-candidate.ts';
import { createRecorder } from './messages/recorder.ts';
import { createAdmission } from './pacing/create-admission.ts';
import { createDueNotes } from './pacing/due-notes.ts';
import { createReadySet } from './pacing/ready-set.ts';
import { createContactProcessors } from './processors/contacts.ts';
import {
  createReceiveCustomEvent,
  createReceiveMessage,
  createReceiveShopifyEvent,
} from './processors/inbound.ts';
import { createMarkRead } from './processors/mark-read.ts';
import {
  createDeliverMessage,
  createDeliverMessages,
  createSendMessage,
  createSendMessages,
} from './processors/messages.ts';
import {
  createApplyAccountUpdate,
  createApplyPreferences,
  createApplyStatuses,
} from './processors/receipts.ts';
import { registerRoutes } from './routes/register-routes.ts';
import { ensureFirstSender } from './senders/ensure-first-sender.ts';
import { resealTokens } from './senders/reseal-tokens.ts';
import { createSenderDirectory } from './senders/sender-directory.ts';
import { assembleSending } from './sending/assemble-sending.ts';
import { createReactions } from './sending/create-reactions.ts';
import type { decideAfterCall } from './sending/decide-after-call.ts';
import { createEventSubscriptions } from './subscriptions/event-subscriptions.ts';

/** The running service. */
export type CampaignSender = Pick<
  Runtime<Tables>,
  'app' | 'database' | 'producer' | 'outbox' | 'failedJobs' | 'start' | 'close'
>;

/** What tests give: `logger`, and another judgement of calls' ends, to show what parking is for. */
export interface BuildOptions {
  logger?: Logger;
  decideAfterCall?: typeof decideAfterCall;
}

/** Version told by `/health` and `/docs`. */
const VERSION = '0.1.0';
/** How late a replica that did not take the announcement learns what a merchant wants. */
const SUBSCRIPTIONS_INTERVAL_MS = 2000;

/**
 * Builds campaign-sender: database, Redis, routes, workers, reconcilers. Nothing runs before `start()`.
 *
 * @param options `logger` for tests; the runtime makes one otherwise.
 * @throws ConfigError one line that names the variable at fault.
 */
export async function buildApp(config: ServiceConfig, options: BuildOptions = {}): Promise<CampaignSender> {
  const runtime = await createRuntime<Tables, ServiceConfig>({
    service: 'campaign-sender',
    version: VERSION,
    // The pace of sending is per number: a limit of the whole queue would make numbers wait for one another.
    config: { ...config, QUEUE_MESSAGES_RATE_MAX: undefined, QUEUE_MESSAGES_RATE_DURATION: undefined },
    migrations,
    ...(options.logger ? { logger: options.logger } : {}),
  });
  try {
    await assemble(runtime, config, options);
  } catch (error) {
    await runtime.close();
    throw error;
  }
  return runtime;
}

async function assemble(
  runtime: Runtime<Tables, ServiceConfig>,
  config: ServiceConfig,
  options: BuildOptions,
): Promise<void> {
  const { logger, secretBox } = runtime;
  const { db, dialect } = runtime.database;
  const subscriptions = createEventSubscriptions(db, dialect);
  await subscriptions.refresh();
  runtime.metrics.gauge(
    'switchyard_event_subscribers',
    'Merchants whose endpoints want events, as far as this process knows.',
    [],
    (set) => set({}, subscriptions.subscribers),
  );
  runtime.addTask({
    name: 'read subscriptions',
    intervalMs: SUBSCRIPTIONS_INTERVAL_MS,
    run: () => subscriptions.refresh(),
  });
  const store: Store = { db, dialect, inScope: createInScope(runtime.outbox, subscriptions), now: Date.now };
  const firstTime: FirstTime = (trx, jobId) => runtime.processedJobs.firstTime(trx, jobId);

  const max = config.QUEUE_MESSAGES_RATE_MAX;
  const durationMs = config.QUEUE_MESSAGES_RATE_DURATION ?? 60_000;
  const senders = createSenderDirectory({
    db,
    secretBox,
    logger,
    defaultRate: max === undefined ? undefined : { max, durationMs },
  });
  const files = await createFileStore(config);
  const ready = createReadySet(runtime.redis.queue, runtime.redisSettings.queue.keyPrefix);
  const notes = createDueNotes(ready, logger);
  const admission = createAdmission(runtime.redis.queue, runtime.redisSettings.queue.keyPrefix, {
    callsPerSecond: config.sendAppCallsPerSecond,
    pairIntervalMs: config.sendPairIntervalMs,
  });
  const messages = assembleMessages(runtime, config, { store, senders, files, notes, admission });
  const { templates, preparation } = messages;
  const wakeUps = createWakeUps();
  const group = createGroupCommit(store.inScope);
  const { sending, attempts } = assembleSending(runtime, config, {
    ...{ store, group, senders, templates, preparation, admission, management: messages.management },
    wakeUps,
    decide: options.decideAfterCall,
  });
  const recorder = createRecorder(store, group, senders, messages.check);

  await ensureFirstSender(store.inScope, secretBox, config);
  await resealTokens(db, secretBox, logger);
  const settings = createPeopleSettings(db, dialect);
  const media = assembleMedia(runtime, { store, senders, files });
  registerRoutes(runtime.app, {
    store,
    senders,
    recorder,
    wakeUps,
    attempts,
    secretBox,
    settings,
    files,
    ...messages,
  });

  const firstTimeMany: FirstTimeMany = (trx, jobIds) => runtime.processedJobs.firstTimeMany(trx, jobIds);
  const { mediaWaitMs } = config;
  const inbound = {
    store,
    firstTime,
    firstTimeMany,
    senders,
    settings,
    admission,
    media,
    mediaWaitMs,
    logger,
  };
  runtime.addWorker('inbound', {
    'receive-message': createReceiveMessage(inbound),
    'receive-shopify-event': createReceiveShopifyEvent(inbound),
    'receive-custom-event': createReceiveCustomEvent(inbound),
  });
  const reactions = createReactions({ store, senders, templates, admission, logger });
  const receipts = { store, firstTime, senders, templates, reactions, notes };
  runtime.addWorker('receipts', {
    'apply-statuses': createApplyStatuses(receipts),
    'apply-account-update': createApplyAccountUpdate(receipts),
    'apply-preferences': createApplyPreferences(receipts),
  });
  runtime.addWorker(
    'contacts',
    createContactProcessors(createContactChanges(store, firstTime), {
      store,
      firstTime,
      subscriptions,
      files,
      forgetPerson: runtime.forgetPerson,
    }),
  );
  const load = createCandidateLoader(db);
  const atOnce = settingsOf('messages', resolveQueueOverrides(config)).concurrency;
  runtime.addWorker('messages', {
    'send-message': createSendMessage(recorder, sending),
    'send-messages': createSendMessages(recorder, sending, atOnce),
    'deliver-messages': createDeliverMessages(load, sending),
    'deliver-message': createDeliverMessage(load, sending),
    'mark-read': createMarkRead({ db, senders, graph: messages.graph }),
  });
}
