import type { Processors } from '@switchyard/jobs';
import type { Sources } from '../merchants/create-sources.ts';
import type { Subscriptions } from '../merchants/create-subscriptions.ts';
import type { DataRequests } from '../privacy/create-data-requests.ts';
import type { Erasures } from '../privacy/create-erasures.ts';

/** What the jobs of `control` need. */
export interface ControlProcessorsSettings {
  subscriptions: Pick<Subscriptions, 'set'>;
  sources: Pick<Sources, 'stop'>;
  erasures: Pick<Erasures, 'record' | 'recordShop' | 'acknowledge'>;
  dataRequests: Pick<DataRequests, 'record' | 'provide'>;
}

/** The processors of the queue `control`. Each writes one row under its own key, so that running twice changes nothing. */
export function createControlProcessors(
  settings: ControlProcessorsSettings,
): Required<Processors<'control'>> {
  const { subscriptions, sources, erasures, dataRequests } = settings;
  return {
    'set-subscriptions': (payload) => subscriptions.set(payload),
    'erase-person': (payload) => erasures.record(payload),
    'erase-shop': (payload) => erasures.recordShop(payload),
    'request-person-data': (payload) => dataRequests.record(payload),
    'provide-person-data': (payload) => dataRequests.provide(payload),
    'acknowledge-erasure': (payload) => erasures.acknowledge(payload),
    async 'stop-source'({ merchantId, sourceKind, sourceKey, reason }, { logger }) {
      const stopped = await sources.stop({ merchantId, kind: sourceKind, sourceKey, reason });
      if (stopped) logger.warn({ merchantId, sourceKind, reason }, 'source stopped');
      else logger.info({ merchantId, sourceKind }, 'there is no such source to stop');
    },
  };
}
