import type { Scope } from '../database/scope.ts';
import { type MerchantEvent, publishEvents } from '../messages/merchant-events.ts';
import type { EventSubscriptions } from './event-subscriptions.ts';

/** A transaction's jobs, with its events for merchants held back until it has said all. */
export interface GatheredEvents {
  enqueue: Scope['enqueue'];
  /** Enqueues what was gathered. Call it once, when the transaction's work is done. */
  flush(): void;
}

/**
 * Makes one batch per merchant of all the events that a transaction publishes, and leaves out those that no endpoint wants: they
 * cost neither a row nor a job.
 */
export function gatherEvents(
  enqueue: Scope['enqueue'],
  subscriptions: Pick<EventSubscriptions, 'wants'>,
): GatheredEvents {
  const byMerchant = new Map<string, MerchantEvent[]>();
  return {
    enqueue(job) {
      if (job.queue !== 'webhooks' || job.name !== 'publish-events') {
        enqueue(job);
        return;
      }
      const { merchantId, events } = job.payload as { merchantId: string; events: MerchantEvent[] };
      const wanted = events.filter(({ type }) => subscriptions.wants(merchantId, type));
      if (wanted.length === 0) return;
      const gathered = byMerchant.get(merchantId);
      if (gathered) gathered.push(...wanted);
      else byMerchant.set(merchantId, wanted);
    },
    flush() {
      for (const [merchantId, events] of byMerchant) publishEvents(enqueue, merchantId, events);
    },
  };
}
