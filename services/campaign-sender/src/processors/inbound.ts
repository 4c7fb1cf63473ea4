import type { JobPayload, Processor } from '@switchyard/jobs';
import type { Logger } from 'pino';
import type { PeopleSettingsStore } from '../conversations/people-settings.ts';
import { createBatcher } from '../database/create-batcher.ts';
import { type EventParts, fromCustom, fromShopify, receiveEvent } from '../inbound/receive-event.ts';
import {
  type InboundMessage,
  type ReceivedMessage,
  type ReceiveParts,
  receiveMessages,
} from '../inbound/receive-messages.ts';
import type { MediaFetcher } from '../media-in/create-media-fetcher.ts';
import type { AdmissionControl } from '../pacing/create-admission.ts';
import type { Sender, SenderDirectory } from '../senders/sender-directory.ts';

/** What the processors of `inbound` need. */
export interface InboundParts extends ReceiveParts, EventParts {
  senders: SenderDirectory;
  settings: PeopleSettingsStore;
  admission: Pick<AdmissionControl, 'debit'>;
  media: Pick<MediaFetcher, 'wake'>;
  logger: Logger;
}

const MESSAGES_AT_ONCE = 100;

interface Arrival extends InboundMessage {
  sender: Sender;
}

/**
 * `inbound`/receive-message. Jobs that run at the same time share a transaction: one that comes alone waits for nothing, under load a
 * handful of statements serve a hundred.
 */
export function createReceiveMessage(
  parts: InboundParts,
): Processor<JobPayload<'inbound', 'receive-message'>> {
  const { senders, settings, admission, media, logger } = parts;
  const batch = createBatcher<Arrival, ReceivedMessage | undefined>({
    maxItems: MESSAGES_AT_ONCE,
    async run(arrivals) {
      const received = await receiveMessages(parts, arrivals);
      media.wake(received.flatMap((each) => each?.mediaId ?? []));
      const bySender = Map.groupBy(
        arrivals.filter((_, index) => received[index]),
        ({ sender }) => sender,
      );
      // What comes in uses the number's throughput too. Losing this count costs a refusal at most, so nobody waits for it.
      for (const [sender, those] of bySender)
        void admission.debit(sender.id, those.length, sender.pace).catch((error: unknown) => {
          logger.warn({ err: error }, 'inbound messages were not counted for the pace of their number');
        });
      return received;
    },
  });
  return async (payload, { job }) => {
    const { merchantId, phoneNumberId, wabaId, displayPhoneNumber } = payload;
    const [sender, own] = await Promise.all([
      senders.byPhoneNumberId(merchantId, phoneNumberId, { wabaId, displayPhoneNumber }),
      settings.of(merchantId),
    ]);
    return (await batch.submit({ payload, sender, settings: own, meta: job.meta })) ?? { received: false };
  };
}

/** `inbound`/receive-shopify-event. */
export function createReceiveShopifyEvent(
  parts: InboundParts,
): Processor<JobPayload<'inbound', 'receive-shopify-event'>> {
  return async (payload) => ({ matched: await receiveEvent(parts, fromShopify(payload)) });
}

/** `inbound`/receive-custom-event. */
export function createReceiveCustomEvent(
  parts: InboundParts,
): Processor<JobPayload<'inbound', 'receive-custom-event'>> {
  return async (payload) => ({ matched: await receiveEvent(parts, fromCustom(payload)) });
}
