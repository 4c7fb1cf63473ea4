import { createRuntime, type Runtime } from '@switchyard/runtime';
import type { Logger } from 'pino';
import { type NotifierConfig, readSender } from './config.ts';
import { migrations } from './database/migrations.ts';
import type { NotifierTables } from './database/tables.ts';
import { createDeliveries } from './delivery/create-deliveries.ts';
import { createWebhookClient } from './delivery/create-webhook-client.ts';
import { createEmails, type Emails } from './email/create-emails.ts';
import { createMailer } from './email/create-mailer.ts';
import { announceAll } from './endpoints/announce-subscriptions.ts';
import { createEndpoints } from './endpoints/create-endpoints.ts';
import { createDeliverWebhook } from './processors/deliver-webhook.ts';
import { createErasePerson } from './processors/erase-person.ts';
import { createPublishEvents } from './processors/publish-events.ts';
import { createSendEmail } from './processors/send-email.ts';
import { createSendNotification } from './processors/send-notification.ts';
import { registerDeliveries } from './routes/deliveries.ts';
import { registerEmails } from './routes/emails.ts';
import { registerEndpoints } from './routes/endpoints.ts';
import { registerNotifications } from './routes/notifications.ts';

const RECONCILE_INTERVAL_MS = 60_000;
const SMTP_CONNECTIONS = 5;

/**
 * Builds notifier; `start()` makes it listen and work.
 *
 * @throws ConfigError one line that names the variable.
 */
export async function buildApp(
  config: NotifierConfig,
  options: { logger?: Logger } = {},
): Promise<Runtime<NotifierTables, NotifierConfig>> {
  const runtime = await createRuntime<NotifierTables, NotifierConfig>({
    service: 'notifier',
    version: '0.1.0',
    config,
    migrations,
    ...options,
  });
  const { app, database, outbox, secretBox, metrics } = runtime;
  const allowPrivateNetworks = config.webhookAllowPrivateNetworks;
  const client = createWebhookClient({ timeoutMs: config.webhookTimeoutMs, allowPrivateNetworks });
  runtime.onClose('webhook client', () => client.close());
  const endpoints = createEndpoints({ database, outbox, secretBox });
  const deliveries = createDeliveries({ database, outbox, endpoints });
  try {
    const announced = await announceAll({ database, outbox });
    runtime.logger.debug({ merchants: announced }, 'subscriptions announced');
  } catch (error) {
    await runtime.close();
    throw error;
  }

  registerEndpoints(app, { endpoints, allowPrivateNetworks });
  registerDeliveries(app, { deliveries });
  registerNotifications(app, { database });
  const emails = createEmails({ database, outbox });
  registerEmails(app, { emails });

  const attempts = metrics.counter(
    'switchyard_webhook_attempts_total',
    "Attempts to deliver to merchants' endpoints.",
    ['outcome'],
  );
  runtime.addWorker('webhooks', {
    'publish-events': createPublishEvents({ deliveries }),
    'erase-person': createErasePerson({ database, outbox, forgetPerson: runtime.forgetPerson }),
    'deliver-webhook': createDeliverWebhook({
      deliveries,
      endpoints,
      client,
      count: (outcome) => attempts.add({ outcome }),
    }),
  });
  runtime.addWorker('notifications', { 'send-notification': createSendNotification({ database }) });
  addEmailWorker(runtime, emails);
  runtime.addTask({
    name: 'queue forgotten deliveries and emails again',
    intervalMs: RECONCILE_INTERVAL_MS,
    async run() {
      await deliveries.reconcile();
      await emails.reconcile();
    },
  });
  return runtime;
}

/** Emails have a worker even where no server is configured: then they fail with that reason instead of waiting for ever. */
function addEmailWorker(runtime: Runtime<NotifierTables, NotifierConfig>, emails: Emails): void {
  const { smtpUrl, emailFrom, smtpTimeoutMs } = runtime.config;
  const isConfigured = smtpUrl !== undefined && emailFrom !== undefined;
  const mailer = isConfigured
    ? createMailer({ url: smtpUrl, from: emailFrom, timeoutMs: smtpTimeoutMs, connections: SMTP_CONNECTIONS })
    : undefined;
  runtime.onClose('mailer', () => mailer?.close());
  const attempts = runtime.metrics.counter('switchyard_email_attempts_total', 'Attempts to send an email.', [
    'outcome',
  ]);
  runtime.addWorker('emails', {
    'send-email': createSendEmail({
      emails,
      mailer,
      domain: isConfigured ? readSender(emailFrom).domain : 'localhost',
      count: (outcome) => attempts.add({ outcome }),
    }),
  });
}
