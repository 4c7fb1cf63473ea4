import type { JobPayload, Processor } from '@switchyard/jobs';
import type { Deliveries } from '../delivery/create-deliveries.ts';

/**
 * Fans a batch of events out to the merchant's endpoints.
 *
 * Twice is harmless: a delivery's key is endpoint and event.
 */
export function createPublishEvents(deps: {
  deliveries: Deliveries;
}): Processor<JobPayload<'webhooks', 'publish-events'>> {
  return async ({ merchantId, events }, { logger }) => {
    const recorded = await deps.deliveries.publish(merchantId, events);
    logger.debug({ events: events.length, recorded }, 'events fanned out');
  };
}
