import type { JobPayload } from '@switchyard/jobs';
import { createId } from '@switchyard/runtime';
import type { Scope } from '../database/scope.ts';

/** An event for the merchant's own endpoints. */
export type MerchantEvent = JobPayload<'webhooks', 'publish-events'>['events'][number];

const BATCH_LIMIT = 1000;

/**
 * Hands events to notifier with the transaction that made them true. An event's id is the same however often it is told, so
 * that an endpoint can absorb repeats.
 */
export function publishEvents(
  enqueue: Scope['enqueue'],
  merchantId: string,
  events: readonly MerchantEvent[],
): void {
  for (let start = 0; start < events.length; start += BATCH_LIMIT)
    enqueue({
      queue: 'webhooks',
      name: 'publish-events',
      payload: { merchantId, batchId: createId('bat'), events: events.slice(start, start + BATCH_LIMIT) },
      meta: { merchantId },
    });
}
