import type { Static, TSchema } from 'typebox';
import { defineJob, defineQueue } from './define-queue.ts';
import { toJobId } from './job-id.ts';
import * as campaignSender from './schemas/campaign-sender.ts';
import * as flowEngine from './schemas/flow-engine.ts';
import * as ingress from './schemas/ingress.ts';
import * as metricsExporter from './schemas/metrics-exporter.ts';
import * as notifier from './schemas/notifier.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/** What R2 keeps of every queue. */
const kept = { completed: 100, failed: 500 } as const;
/** Events of the outside world: a failed one stays until a person has seen to it. */
const keptUntilSeen = { completed: 100, failed: 'all' } as const;

/** Transactional before flow replies before campaigns; in between there is room for a caller's own order. */
const priorityOfLane = { transactional: 1, flow: 4, campaign: 8 } as const;

/**
 * Every queue, its jobs, and how they are tried, paced and kept: the only place that knows.
 *
 * Numbers come from requirement R2 where it names them; where a field is absent, `QUEUE_*` of R2.12 applies.
 * Concurrency is set where a queue waits for a slow provider or a database far more than it computes.
 */
export const catalog = {
  inbound: defineQueue({
    description: 'a WhatsApp message, a Shopify or custom event',
    consumer: 'campaign-sender',
    jobs: {
      'receive-message': defineJob({
        schema: campaignSender.ReceiveMessage,
        jobId: ({ eventId }) => eventId,
      }),
      'receive-shopify-event': defineJob({
        schema: campaignSender.ReceiveShopifyEvent,
        jobId: ({ eventId }) => eventId,
      }),
      'receive-custom-event': defineJob({
        schema: campaignSender.ReceiveCustomEvent,
        jobId: ({ eventId }) => eventId,
      }),
    },
    timeoutMs: 30 * SECOND_MS,
    concurrency: 50,
    retention: keptUntilSeen,
  }),
  receipts: defineQueue({
    description:
      'statuses of one webhook payload; template, number and account updates; marketing preferences',
    consumer: 'campaign-sender',
    jobs: {
      'apply-statuses': defineJob({ schema: campaignSender.ApplyStatuses }),
      'apply-account-update': defineJob({
        schema: campaignSender.ApplyAccountUpdate,
        jobId: ({ eventId }) => eventId,
      }),
      'apply-preferences': defineJob({
        schema: campaignSender.ApplyPreferences,
        jobId: ({ eventId }) => eventId,
      }),
    },
    timeoutMs: 30 * SECOND_MS,
    concurrency: 10,
    retention: keptUntilSeen,
  }),
  contacts: defineQueue({
    description:
      'what a flow learned about a person; their erasure and the export of their data; which events merchants want',
    consumer: 'campaign-sender',
    jobs: {
      'tag-contact': defineJob({ schema: campaignSender.TagContact, jobId: ({ effectId }) => effectId }),
      'set-attributes': defineJob({
        schema: campaignSender.SetAttributes,
        jobId: ({ effectId }) => effectId,
      }),
      'set-consent': defineJob({ schema: campaignSender.SetConsent, jobId: ({ effectId }) => effectId }),
      'opt-out': defineJob({ schema: campaignSender.OptOut, jobId: ({ effectId }) => effectId }),
      'set-handover': defineJob({ schema: campaignSender.SetHandover, jobId: ({ effectId }) => effectId }),
      'request-run': defineJob({
        schema: campaignSender.RequestRun,
        jobId: ({ startId, afterContactId }) =>
          afterContactId === undefined ? startId : `${startId}_${afterContactId}`,
      }),
      'erase-person': defineJob({
        schema: campaignSender.EraseContact,
        jobId: ({ erasureId }) => erasureId,
      }),
      'erase-shop': defineJob({
        schema: campaignSender.EraseShopEvents,
        jobId: ({ erasureId }) => erasureId,
      }),
      'export-person': defineJob({
        schema: campaignSender.ExportContact,
        jobId: ({ requestId }) => requestId,
      }),
      'set-subscriptions': defineJob({
        schema: campaignSender.SetEventSubscriptions,
        jobId: ({ merchantId, version }) => `subscriptions_${merchantId}_${version}`,
      }),
    },
    timeoutMs: 30 * SECOND_MS,
    concurrency: 20,
    retention: keptUntilSeen,
  }),
  flows: defineQueue({
    description: 'flow triggers and node executions (R2.3); what flows must know of templates and sources',
    consumer: 'flow-engine',
    jobs: {
      'handle-event': defineJob({ schema: flowEngine.HandleEvent, jobId: ({ eventId }) => eventId }),
      'start-run': defineJob({ schema: flowEngine.StartRun, jobId: ({ startId }) => startId }),
      'resume-run': defineJob({
        schema: flowEngine.ResumeRun,
        jobId: ({ runId, waitId, reason, turn }) =>
          `${runId}_${waitId}_${reason}${turn === undefined ? '' : `_${turn}`}`,
      }),
      'record-message-outcome': defineJob({
        schema: flowEngine.RecordMessageOutcome,
        jobId: ({ messageId, outcome }) => `${messageId}_${outcome}`,
      }),
      'execute-call': defineJob({ schema: flowEngine.ExecuteCall, jobId: ({ requestId }) => requestId }),
      'set-handover': defineJob({
        schema: flowEngine.SetConversationHandler,
        jobId: ({ changeId }) => `handover_${changeId}`,
      }),
      'erase-person': defineJob({
        schema: flowEngine.EraseConversations,
        jobId: ({ erasureId }) => erasureId,
      }),
      'set-templates': defineJob({
        schema: flowEngine.SetTemplates,
        jobId: ({ merchantId, wabaId, revision }) => `templates_${merchantId}_${wabaId}_${revision}`,
      }),
      'stop-source': defineJob({ schema: flowEngine.StopFlowSource }),
    },
    attempts: 3,
    timeoutMs: MINUTE_MS,
    concurrency: 50,
    retention: kept,
  }),
  ai: defineQueue({
    description: 'chatbot replies, voice transcription (R2.6)',
    consumer: 'flow-engine',
    jobs: {
      'generate-reply': defineJob({ schema: flowEngine.GenerateReply, jobId: ({ requestId }) => requestId }),
      'classify-text': defineJob({ schema: flowEngine.ClassifyText, jobId: ({ requestId }) => requestId }),
      'transcribe-audio': defineJob({
        schema: flowEngine.TranscribeAudio,
        jobId: ({ requestId }) => requestId,
      }),
    },
    attempts: 2,
    timeoutMs: 2 * MINUTE_MS,
    concurrency: 50,
    retention: kept,
  }),
  messages: defineQueue({
    description: 'one message to one person (R2.1), and wake-ups for messages that are recorded',
    consumer: 'campaign-sender',
    jobs: {
      'send-message': defineJob({
        schema: campaignSender.SendMessage,
        jobId: ({ messageId }) => messageId,
        priority: ({ lane }) => priorityOfLane[lane ?? 'flow'],
      }),
      'send-messages': defineJob({
        schema: campaignSender.SendMessages,
        // Of all of them: a later job with some of these messages and others must not pass for this one.
        jobId: ({ messages }) => toJobId(...messages.map(({ message }) => message.messageId)),
        priority: ({ messages }) => priorityOfLane[messages[0]?.message.lane ?? 'flow'],
      }),
      'deliver-messages': defineJob({
        schema: campaignSender.DeliverMessages,
        jobId: ({ messages }) => `${messages[0]!.messageId}_${messages[0]!.turn}_${messages.length}`,
      }),
      'deliver-message': defineJob({
        schema: campaignSender.DeliverMessage,
        jobId: ({ messageId, turn }) => `${messageId}_${turn}`,
      }),
      'mark-read': defineJob({ schema: campaignSender.MarkRead }),
    },
    attempts: 3,
    timeoutMs: MINUTE_MS,
    // Most of them wait for their slot or a connection (SEND_CONNECTIONS); so there is always one at hand.
    concurrency: 600,
    stalledMost: 20,
    prioritized: true,
    defaultPriority: 4,
    retention: kept,
  }),
  campaigns: defineQueue({
    description: 'campaign processing, large broadcasts in batches (R2.2)',
    consumer: 'campaign-sender',
    jobs: {
      'start-campaign': defineJob({ schema: campaignSender.CampaignStep }),
      'dispatch-campaign': defineJob({ schema: campaignSender.CampaignStep }),
      'finish-campaign': defineJob({ schema: campaignSender.CampaignStep }),
    },
    attempts: 2,
    timeoutMs: 5 * MINUTE_MS,
    retention: kept,
  }),
  imports: defineQueue({
    description: 'contact imports, bulk operations (R2.7)',
    consumer: 'campaign-sender',
    jobs: {
      'import-contacts': defineJob({
        schema: campaignSender.ImportContacts,
        jobId: ({ importId }) => importId,
      }),
    },
    attempts: 1,
    timeoutMs: 10 * MINUTE_MS,
    retention: kept,
  }),
  exports: defineQueue({
    description: 'data exports, reports (R2.8)',
    consumer: 'campaign-sender',
    jobs: {
      'export-records': defineJob({
        schema: campaignSender.ExportRecords,
        jobId: ({ exportId }) => exportId,
      }),
    },
    attempts: 2,
    timeoutMs: 5 * MINUTE_MS,
    retention: kept,
  }),
  emails: defineQueue({
    description: 'notification and transactional email (R2.4)',
    consumer: 'notifier',
    jobs: {
      'send-email': defineJob({
        schema: notifier.SendEmail,
        jobId: ({ emailId, turn }) => (turn === undefined ? emailId : `${emailId}_${turn}`),
      }),
    },
    attempts: 5,
    timeoutMs: MINUTE_MS,
    concurrency: 20,
    retention: kept,
  }),
  webhooks: defineQueue({
    description: 'outbound webhook deliveries (R2.5)',
    consumer: 'notifier',
    jobs: {
      'publish-events': defineJob({ schema: notifier.PublishEvents, jobId: ({ batchId }) => batchId }),
      'deliver-webhook': defineJob({
        schema: notifier.DeliverWebhook,
        jobId: ({ deliveryId, turn }) => `${deliveryId}_${turn}`,
      }),
      'erase-person': defineJob({ schema: notifier.EraseDeliveries, jobId: ({ erasureId }) => erasureId }),
    },
    attempts: 3,
    timeoutMs: MINUTE_MS,
    concurrency: 100,
    retention: kept,
  }),
  notifications: defineQueue({
    description: 'system notifications and alerts (R2.10)',
    consumer: 'notifier',
    jobs: {
      'send-notification': defineJob({
        schema: notifier.SendNotification,
        jobId: ({ notificationId }) => notificationId,
      }),
    },
    attempts: 3,
    backoffMs: SECOND_MS,
    timeoutMs: 30 * SECOND_MS,
    concurrency: 20,
    retention: kept,
  }),
  analytics: defineQueue({
    description: 'daily, weekly, monthly snapshots (R2.9)',
    consumer: 'metrics-exporter',
    jobs: {
      'roll-up-period': defineJob({
        schema: metricsExporter.RollUpPeriod,
        jobId: ({ merchantId, owner, period, startsAtMs }) =>
          `${merchantId}_${owner}_${period}_${startsAtMs}`,
      }),
    },
    attempts: 2,
    timeoutMs: MINUTE_MS,
    retention: kept,
  }),
  control: defineQueue({
    description:
      'subscriptions of notifier, erasure and export of a person and their acknowledgements, sources to stop',
    consumer: 'ingress',
    jobs: {
      'set-subscriptions': defineJob({
        schema: ingress.SetSubscriptions,
        jobId: ({ merchantId, version }) => `subscriptions_${merchantId}_${version}`,
      }),
      'erase-person': defineJob({ schema: ingress.ErasePerson, jobId: ({ erasureId }) => erasureId }),
      'erase-shop': defineJob({ schema: ingress.EraseShop, jobId: ({ erasureId }) => erasureId }),
      'request-person-data': defineJob({
        schema: ingress.RequestPersonData,
        jobId: ({ requestId }) => requestId,
      }),
      'provide-person-data': defineJob({
        schema: ingress.ProvidePersonData,
        jobId: ({ requestId, owner }) => `${requestId}_${owner}`,
      }),
      'acknowledge-erasure': defineJob({
        schema: ingress.AcknowledgeErasure,
        jobId: ({ erasureId, owner }) => `${erasureId}_${owner}`,
      }),
      'stop-source': defineJob({ schema: ingress.StopSource }),
    },
    timeoutMs: 30 * SECOND_MS,
    retention: keptUntilSeen,
  }),
};

type Catalog = typeof catalog;

/** A queue's name. */
export type QueueName = keyof Catalog;
/** The jobs of a queue. */
export type JobName<Q extends QueueName> = Extract<keyof Catalog[Q]['jobs'], string>;
/** A job's payload. */
export type JobPayload<Q extends QueueName, J extends JobName<Q>> = Catalog[Q]['jobs'][J] extends {
  readonly schema: infer S;
}
  ? S extends TSchema
    ? Static<S>
    : never
  : never;

/** Every queue's name, in the order of the catalog. */
export const queueNames = Object.keys(catalog) as QueueName[];
