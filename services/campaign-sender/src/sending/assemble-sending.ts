import type { Runtime } from '@switchyard/runtime';
import type { ServiceConfig } from '../config.ts';
import type { GroupCommit } from '../database/group-commit.ts';
import type { Store } from '../database/scope.ts';
import type { Tables } from '../database/tables.ts';
import type { ManagementGraph } from '../graph/manage-graph.ts';
import type { WakeUps } from '../messages/create-wake-ups.ts';
import type { Preparation } from '../messages/prepare-message.ts';
import type { AdmissionControl } from '../pacing/create-admission.ts';
import { createDueNotes } from '../pacing/due-notes.ts';
import { createGate } from '../pacing/gate.ts';
import { createReadySet } from '../pacing/ready-set.ts';
import { createReceiptsBacklog } from '../receipts/create-receipts-backlog.ts';
import { probePaused } from '../senders/probe-paused.ts';
import type { SenderDirectory } from '../senders/sender-directory.ts';
import type { TemplateDirectory } from '../templates/template-directory.ts';
import { type AttemptStore, createAttemptStore } from './attempt-store.ts';
import { createCloudApi } from './cloud-api.ts';
import { createSending, type Sending } from './create-sending.ts';
import type { decideAfterCall } from './decide-after-call.ts';
import { createDispatcher } from './dispatch-due.ts';
import { expireMessages } from './expire-messages.ts';
import { createLeasedTask } from './leased-task.ts';
import { parkOrphans, releaseParked } from './reconcile-parked.ts';

/** The sending protocol, its pace, and what others need of it. */
export interface AssembledSending {
  sending: Sending;
  attempts: AttemptStore;
}

/** What sending is built from. */
export interface AssemblyParts {
  store: Store;
  group: GroupCommit;
  management: ManagementGraph;
  admission: AdmissionControl;
  senders: SenderDirectory;
  templates: Pick<TemplateDirectory, 'forget'>;
  preparation: Preparation;
  wakeUps: WakeUps;
  decide?: typeof decideAfterCall | undefined;
}

const RECONCILE_INTERVAL_MS = 500;
const RECALL_INTERVAL_MS = 2000;
const EXPIRE_INTERVAL_MS = 1000;
const PROBE_INTERVAL_MS = 5000;
/** The shortest pause between two visits of the dispatcher: at a thousand messages a second a hundred go together. */
const DISPATCH_INTERVAL_MS = 100;
const LEASE_MS = 5000;

/** Builds everything that sends, and adds its tasks to the runtime: dispatching, reconciling, expiring, each under a lease. */
export function assembleSending(
  runtime: Runtime<Tables, ServiceConfig>,
  config: ServiceConfig,
  { store, group, management, admission, senders, templates, preparation, wakeUps, decide }: AssemblyParts,
): AssembledSending {
  const { logger, redis, redisSettings } = runtime;
  const { keyPrefix } = redisSettings.queue;
  const api = createCloudApi({
    url: config.whatsappApiUrl,
    version: config.whatsappApiVersion,
    timeoutMs: config.sendHttpTimeoutMs,
    connections: config.sendConnections,
  });
  runtime.onClose('cloud api', () => api.close());
  const gate = createGate(admission, config.sendConnections);
  runtime.onClose('gate', () => gate.close());
  const ready = createReadySet(redis.queue, keyPrefix);
  const notes = createDueNotes(ready, logger);
  const attempts = createAttemptStore(store, group, notes);
  const graceMs = config.sendUnknownGraceMs;
  const sending = createSending({
    ...{ store, attempts, senders, templates, preparation, admission, gate, api, graceMs, logger },
    ...(decide ? { decide } : {}),
  });

  const times = {
    timeoutMs: config.sendHttpTimeoutMs,
    graceMs,
    parkedMaxMs: config.sendParkedMaxMs,
    recheckMs: Math.min(5000, graceMs),
  };
  const backlog = createReceiptsBacklog(redis.queue, runtime.bullPrefix);
  const dispatcher = createDispatcher({
    ...{ store, senders, ready, wakeUps, producer: runtime.producer },
    waiting: () => redis.queue.zcard(`${runtime.bullPrefix}:messages:prioritized`),
  });
  const alone = (name: string, intervalMs: number, work: () => Promise<unknown>) => {
    const task = createLeasedTask(
      runtime.leases,
      { name: `campaign-sender.${name}`, owner: runtime.instanceId, ttlMs: LEASE_MS },
      async () => void (await work()),
    );
    runtime.addTask({ name: `${name} messages`, intervalMs, run: (signal) => task.run(signal) });
    runtime.onClose(`${name} lease`, () => task.release());
  };
  alone('reconcile', RECONCILE_INTERVAL_MS, async () => {
    await parkOrphans(store, times);
    await releaseParked(store, attempts, backlog, times, notes);
  });
  alone('dispatch', DISPATCH_INTERVAL_MS, () => dispatcher.dispatch());
  alone('recall', RECALL_INTERVAL_MS, () => dispatcher.recall());
  const expire = expireMessages(store, attempts);
  alone('expire', EXPIRE_INTERVAL_MS, expire);
  alone('probe', PROBE_INTERVAL_MS, () => probePaused({ store, graph: management, senders, logger }));
  return { sending, attempts };
}
