import { createRuntime, type Runtime } from '@switchyard/runtime';
import type { Logger } from 'pino';
import type { NotifierConfig } from './config.ts';
import { migrations } from './database/migrations.ts';
import type { NotifierTables } from './database/tables.ts';
import { createDeliveries } from './delivery/create-deliveries.ts';
import { createWebhookClient } from './delivery/create-webhook-client.ts';
import { announceAll } from './endpoints/announce-subscriptions.ts';
import { createEndpoints } from './endpoints/create-endpoints.ts';
import { createDeliverWebhook } from './processors/deliver-webhook.ts';
import { createErasePerson } from './processors/erase-person.ts';
import { createPublishEvents } from './processors/publish-events.ts';
import { createSendNotification } from './processors/send-notification.ts';
import { registerDeliveries } from './routes/deliveries.ts';
import { registerEndpoints } from './routes/endpoints.ts';
import { registerNotifications } from './routes/notifications.ts';

const RECONCILE_INTERVAL_MS = 60_000;

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

  const attempts = metrics.counter(
    'switchyard_webhook_attempts_total',
    "Attempts to deliver to merchants' endpoints.",
    ['outcome'],
  );
  runtime.addWorker('webhooks', {
    'publish-events': createPublishEvents({ deliveries }),
    'erase-person': createErasePerson({ database, outbox }),
    'deliver-webhook': createDeliverWebhook({
      deliveries,
      endpoints,
      client,
      count: (outcome) => attempts.add({ outcome }),
    }),
  });
  runtime.addWorker('notifications', { 'send-notification': createSendNotification({ database }) });
  runtime.addTask({
    name: 'queue forgotten deliveries again',
    intervalMs: RECONCILE_INTERVAL_MS,
    run: async () => void (await deliveries.reconcile()),
  });
  return runtime;
}
