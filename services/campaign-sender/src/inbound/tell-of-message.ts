import type { JobMeta } from '@switchyard/jobs';
import type { EventOptions, PeopleScope } from '../contacts/contact-book.ts';
import { publishEvents } from '../messages/merchant-events.ts';
import type { InboundRow } from './inbound-rows.ts';

/** What flows and the merchant are told of a message. */
export interface MessageNews {
  message: Omit<InboundRow, 'direction' | 'sequence'>;
  mediaId: string | undefined;
  wait: EventOptions['wait'];
  windowExpiresAtMs: number | undefined;
  campaignId: string | undefined;
  isFirstMessage: boolean;
  meta: JobMeta;
}

/** Tells flows, in the contact's order, and the merchant's endpoints. */
export function tellOfMessage({ people, enqueue }: PeopleScope, news: MessageNews): void {
  const { message: row, mediaId, wait, windowExpiresAtMs, campaignId, isFirstMessage, meta } = news;
  const { id: messageId, contact, senderId, payload, content } = row;
  const { merchantId, eventId, occurredAtMs, message } = payload;
  const providerMessageId = typeof message.id === 'string' ? message.id : undefined;
  people.emit(
    contact,
    {
      eventId,
      kind: 'message',
      name: 'message.received',
      senderId,
      messageId,
      ...(providerMessageId === undefined ? {} : { providerMessageId }),
      content: {
        ...content,
        ...(mediaId !== undefined && wait === undefined ? { mediaProblem: 'SENDER_TOKEN_MISSING' } : {}),
      },
      ...(campaignId === undefined ? {} : { campaignId }),
      isFirstMessage,
      occurredAtMs,
    },
    { windowExpiresAtMs, wait, meta },
  );
  publishEvents(enqueue, merchantId, [
    {
      id: `${messageId}_received`,
      type: 'message.received',
      occurredAtMs,
      data: {
        messageId,
        contactId: contact.id,
        senderId,
        providerMessageId: providerMessageId ?? null,
        from: contact.phone ?? contact.userId,
        ...(campaignId === undefined ? {} : { campaignId }),
        ...(mediaId === undefined ? {} : { mediaId }),
        message,
      },
    },
  ]);
}
