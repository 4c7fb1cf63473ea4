import type { JobPayload, Processor } from '@switchyard/jobs';
import type { Deliveries } from '../delivery/create-deliveries.ts';
import type { WebhookClient } from '../delivery/create-webhook-client.ts';
import { judgeAttempt } from '../delivery/judge-attempt.ts';
import type { Endpoints } from '../endpoints/create-endpoints.ts';
import { signDelivery } from '../endpoints/secret.ts';
import { deliveryFailed } from '../errors.ts';

/** However often an endpoint asks for patience, it is not asked more often than this. */
const MAX_ATTEMPTS_WITH_PATIENCE = 20;
const MAX_PATIENCE_MS = 3_600_000;

/** How many attempts were made is told to the observer of a metric. */
export type CountAttempt = (outcome: 'delivered' | 'failed' | 'gone') => void;

/**
 * Makes one attempt of one delivery: at least once, under a constant `webhook-id`.
 *
 * Dies before the call: the job is tried again. After the call, before the row: the endpoint is called again and recognises the
 * id. After the row: the job finds the delivery done.
 */
export function createDeliverWebhook(deps: {
  deliveries: Deliveries;
  endpoints: Endpoints;
  client: WebhookClient;
  count: CountAttempt;
}): Processor<JobPayload<'webhooks', 'deliver-webhook'>> {
  const { deliveries, endpoints, client, count } = deps;
  return async ({ deliveryId }, { signal, job }) => {
    const delivery = await deliveries.findPending(deliveryId);
    if (!delivery) return;
    const target = await endpoints.target(delivery.endpointId);
    if (target?.state !== 'enabled') {
      await deliveries.giveUp(deliveryId, target ? 'the endpoint is turned off' : 'the endpoint was removed');
      return;
    }

    const startedAtMs = Date.now();
    const timestampSeconds = Math.floor(startedAtMs / 1000);
    const { eventId: id, body } = delivery;
    const result = await client.post(
      target.url,
      {
        'content-type': 'application/json',
        'user-agent': 'Switchyard-Webhooks/1',
        'webhook-id': id,
        'webhook-timestamp': String(timestampSeconds),
        'webhook-signature': signDelivery(target.secrets, { id, timestampSeconds, body }),
      },
      body,
      signal,
    );
    // Cut short by our own shutdown: says nothing about the endpoint.
    signal.throwIfAborted();

    const verdict = judgeAttempt(result);
    count(verdict.kind);
    const attempt = { ...result, startedAtMs };
    switch (verdict.kind) {
      case 'delivered':
        await deliveries.recordAttempt(delivery, attempt, { state: 'delivered' });
        return;
      case 'gone':
        await deliveries.recordAttempt(delivery, attempt, {
          state: 'failed',
          disableEndpoint: 'the endpoint answered 410 Gone',
        });
        return;
      case 'failed': {
        const patient =
          verdict.retryAfterMs !== undefined && delivery.attempts + 1 < MAX_ATTEMPTS_WITH_PATIENCE;
        const isLast = !patient && job.attempt >= job.maxAttempts;
        await deliveries.recordAttempt(delivery, attempt, { state: isLast ? 'failed' : 'pending' });
        throw deliveryFailed(verdict.reason, {
          details: { deliveryId, endpointId: delivery.endpointId },
          ...(patient
            ? { outcome: 'later', delayMs: Math.min(verdict.retryAfterMs ?? 0, MAX_PATIENCE_MS) }
            : {}),
        });
      }
    }
  };
}
