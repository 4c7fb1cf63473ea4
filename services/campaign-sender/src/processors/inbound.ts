import type { JobPayload, Processor } from '@switchyard/jobs';
import type { Store } from '../database/scope.ts';
import { fromCustom, fromShopify, receiveEvent } from '../inbound/receive-event.ts';
import { type FirstTime, receiveMessage } from '../inbound/receive-message.ts';
import type { AdmissionControl } from '../pacing/create-admission.ts';
import type { SenderDirectory } from '../senders/sender-directory.ts';

/** What the processors of `inbound` need. */
export interface InboundParts {
  store: Store;
  firstTime: FirstTime;
  senders: SenderDirectory;
  admission: Pick<AdmissionControl, 'debit'>;
}

/** `inbound`/receive-message. */
export function createReceiveMessage(
  parts: InboundParts,
): Processor<JobPayload<'inbound', 'receive-message'>> {
  const { store, firstTime, senders, admission } = parts;
  return async (payload, { logger }) => {
    const { merchantId, phoneNumberId, wabaId, displayPhoneNumber } = payload;
    const sender = await senders.byPhoneNumberId(merchantId, phoneNumberId, { wabaId, displayPhoneNumber });
    const received = await receiveMessage(store, firstTime, sender, payload);
    if (!received) return { received: false };
    // What comes in uses the number's throughput too. Losing this count costs a refusal at most, so nobody waits for it twice.
    await admission.debit(sender.id, 1, sender.pace).catch((error: unknown) => {
      logger.warn({ err: error }, 'an inbound message was not counted for the pace of its number');
    });
    return received;
  };
}

/** `inbound`/receive-shopify-event. */
export function createReceiveShopifyEvent({
  store,
  firstTime,
}: InboundParts): Processor<JobPayload<'inbound', 'receive-shopify-event'>> {
  return async (payload) => ({ matched: await receiveEvent(store, firstTime, fromShopify(payload)) });
}

/** `inbound`/receive-custom-event. */
export function createReceiveCustomEvent({
  store,
  firstTime,
}: InboundParts): Processor<JobPayload<'inbound', 'receive-custom-event'>> {
  return async (payload) => ({ matched: await receiveEvent(store, firstTime, fromCustom(payload)) });
}
