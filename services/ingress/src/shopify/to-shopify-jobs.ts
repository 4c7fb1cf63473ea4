import type { JobMeta, JobPayload, JobToAdd } from '@switchyard/jobs';
import { DEDUPLICATION_TTL_MS } from '../intake/add-events.ts';
import { eventId } from '../intake/event-id.ts';
import type { ShopifyHeaders } from './read-shopify-headers.ts';

/** The shop has removed the app: nothing may come from it, or be sent for it, any more. */
const UNINSTALLED = 'app/uninstalled';

/** The id of a delivery. Two subscriptions for one merchant action are two deliveries. */
export function idOfDelivery({ shopDomain, webhookId }: ShopifyHeaders): string {
  return eventId('shopify', shopDomain, 'webhook', webhookId);
}

/** The jobs of a delivery: the event, and where the shop has left, the word to stop it. */
export function toShopifyJobs(
  headers: ShopifyHeaders,
  body: string,
  context: { id: string; merchantId: string; receivedAtMs: number; meta: JobMeta },
): JobToAdd[] {
  const { id, merchantId, receivedAtMs } = context;
  const meta = { ...context.meta, merchantId };
  const payload: JobPayload<'inbound', 'receive-shopify-event'> = {
    merchantId,
    eventId: id,
    ...headers,
    receivedAtMs,
    body,
  };
  const options = { jobId: id, deduplicationTtlMs: DEDUPLICATION_TTL_MS };
  const event: JobToAdd = { queue: 'inbound', name: 'receive-shopify-event', payload, options, meta };
  if (headers.topic !== UNINSTALLED) return [event];
  return [
    event,
    {
      queue: 'control',
      name: 'stop-source',
      payload: { merchantId, sourceKind: 'shopify', sourceKey: headers.shopDomain, reason: UNINSTALLED },
      options: { ...options, jobId: `${id}_stop` },
      meta,
    },
  ];
}
