import type { FileStore } from '@switchyard/files';
import { createBudget } from '@switchyard/redis';
import type { Runtime } from '@switchyard/runtime';
import type { ServiceConfig } from '../config.ts';
import type { Store } from '../database/scope.ts';
import type { Tables } from '../database/tables.ts';
import { countCalls } from '../graph/count-calls.ts';
import { createGraphApi, type GraphApi } from '../graph/graph-api.ts';
import { createManagementGraph, type ManagementGraph, managementBucket } from '../graph/manage-graph.ts';
import { createMediaFiles, type MediaFiles } from '../media-out/media-files.ts';
import { createOutgoingMedia } from '../media-out/outgoing-media.ts';
import { createUploads } from '../media-out/uploads.ts';
import type { AdmissionControl } from '../pacing/create-admission.ts';
import type { DueNotes } from '../pacing/due-notes.ts';
import { requestSync } from '../senders/account-store.ts';
import { probeLoneNumbers } from '../senders/probe-lone-numbers.ts';
import type { SenderDirectory } from '../senders/sender-directory.ts';
import { type AccountSync, createAccountSync } from '../senders/sync-accounts.ts';
import { createLeasedTask } from '../sending/leased-task.ts';
import { tellTemplates } from '../templates/tell-templates.ts';
import { createTemplateDirectory, type TemplateDirectory } from '../templates/template-directory.ts';
import { createMessageCheck, type MessageCheck } from './check-message.ts';
import { purgeAnswers } from './idempotent-requests.ts';
import { createPreparation, type Preparation } from './prepare-message.ts';

/** What messages need besides their rows: templates, files, accounts. */
export interface AssembledMessages {
  graph: GraphApi;
  management: ManagementGraph;
  templates: TemplateDirectory;
  mediaFiles: MediaFiles;
  preparation: Preparation;
  check: MessageCheck;
  accounts: AccountSync;
}

const LOOK_MS = 1000;
const HOUR_MS = 3_600_000;
/** How often numbers without an account are looked for that are due. */
const LONE_LOOK_MS = 5000;
/** Readings take longer than the lease; a second reader at the same time does no harm. */
const LEASE_MS = 30_000;
const GRAPH_CONNECTIONS = 20;
const GRAPH_TIMEOUT_MS = 15_000;
const UPLOAD_TIMEOUT_MS = 5 * 60_000;
/** So often a template that nobody knows has its account read again. */
const UNKNOWN_PAUSE_MS = 60_000;
const UNKNOWN_REMEMBERED = 10_000;

/** Builds checks and preparation of messages, and adds their tasks to the runtime. */
export function assembleMessages(
  runtime: Runtime<Tables, ServiceConfig>,
  config: ServiceConfig,
  {
    store,
    senders,
    files,
    notes,
    admission,
  }: {
    store: Store;
    senders: SenderDirectory;
    files: FileStore;
    notes: DueNotes;
    admission: Pick<AdmissionControl, 'countCall'>;
  },
): AssembledMessages {
  const { logger, secretBox } = runtime;
  const plainGraph = createGraphApi({
    url: config.whatsappApiUrl,
    version: config.whatsappApiVersion,
    timeoutMs: GRAPH_TIMEOUT_MS,
    uploadTimeoutMs: UPLOAD_TIMEOUT_MS,
    connections: GRAPH_CONNECTIONS,
  });
  // Losing a count costs a refusal at most, so nobody waits for it.
  const graph = countCalls(plainGraph, () => {
    void admission.countCall().catch((error: unknown) => {
      logger.warn({ err: error }, "a call was not counted against the app's calls");
    });
  });
  const callsPerHour = config.managementCallsPerHour;
  const management = createManagementGraph(
    graph,
    createBudget({
      ...{ client: runtime.redis.queue, logger, name: 'whatsapp-management' },
      assumed: managementBucket(callsPerHour),
    }),
    callsPerHour,
  );
  runtime.onClose('graph api', () => graph.close());
  const templates = createTemplateDirectory(store.db);
  const forget = () => {
    senders.forget();
    templates.forget();
  };
  const mediaFiles = createMediaFiles(store.db);
  const uploads = createUploads({ store, graph, files });
  const media = createOutgoingMedia({ store, files: mediaFiles, uploads, onReaction: forget });
  const accounts = createAccountSync({
    ...{ store, graph: management, secretBox, logger },
    intervalMs: config.templateSyncIntervalMs,
    onChange: forget,
    onWoken(senderIds) {
      for (const senderId of senderIds) notes.add(senderId, store.now());
    },
  });

  const askedFor = new Map<string, number>();
  const check = createMessageCheck({
    ...{ templates, media, now: store.now },
    onUnknown({ merchantId, wabaId }) {
      const key = `${merchantId}\n${wabaId}`;
      if ((askedFor.get(key) ?? 0) > performance.now()) return;
      if (askedFor.size > UNKNOWN_REMEMBERED) askedFor.clear();
      askedFor.set(key, performance.now() + UNKNOWN_PAUSE_MS);
      requestSync(store.db, store.dialect, { merchantId, wabaId }, store.now()).catch((error: unknown) => {
        logger.warn({ err: error, wabaId }, 'an account could not be asked to be read again');
      });
    },
  });

  let lonesAtMs = 0;
  const reader = createLeasedTask(
    runtime.leases,
    { name: 'campaign-sender.accounts', owner: runtime.instanceId, ttlMs: LEASE_MS },
    async (signal) => {
      await accounts.syncDue(signal);
      if (performance.now() < lonesAtMs) return;
      lonesAtMs = performance.now() + LONE_LOOK_MS;
      await probeLoneNumbers(store, management, senders, config.templateSyncIntervalMs, signal);
    },
  );
  runtime.addTask({ name: 'read accounts', intervalMs: LOOK_MS, run: (signal) => reader.run(signal) });
  runtime.onClose('accounts lease', () => reader.release());
  runtime.addTask({
    name: 'tell templates',
    intervalMs: LOOK_MS,
    run: async () => void (await tellTemplates(store)),
  });
  runtime.addTask({ name: 'purge uploads', intervalMs: HOUR_MS, run: () => uploads.purge() });
  runtime.addTask({
    name: 'purge kept answers',
    intervalMs: HOUR_MS,
    run: () => purgeAnswers(store.db, store.now()),
  });
  const preparation = createPreparation({ store, templates, media });
  return { graph, management, templates, mediaFiles, preparation, check, accounts };
}
