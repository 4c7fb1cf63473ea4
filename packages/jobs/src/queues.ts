import { addToConnected } from './connect-queues.ts';
import { createTypedQueue } from './typed-queue.ts';

/** What a sent message's job returns (R2.11). */
export interface SentMessage {
  sent: true;
  messageId: string;
}

/** Messages and events from outside. Main job: a WhatsApp message. */
export const inboundQueue = createTypedQueue('inbound', 'receive-message', addToConnected);
/** What providers say of messages, templates and numbers. Main job: statuses. */
export const receiptQueue = createTypedQueue('receipts', 'apply-statuses', addToConnected);
/** What flows learned about people. Main job: tags. */
export const contactQueue = createTypedQueue('contacts', 'tag-contact', addToConnected);
/** Flow triggers and executions. Main job: an event that met its contact. */
export const flowQueue = createTypedQueue('flows', 'handle-event', addToConnected);
/** Chatbot replies, classification, transcription. Main job: a reply. */
export const aiQueue = createTypedQueue('ai', 'generate-reply', addToConnected);
/** One message to one person: `messageQueue.add({ to, content })`. */
export const messageQueue = createTypedQueue<'messages', 'send-message', SentMessage>(
  'messages',
  'send-message',
  addToConnected,
);
/** Campaigns: `campaignQueue.add({ campaignId }, { delay })` starts one. */
export const campaignQueue = createTypedQueue('campaigns', 'start-campaign', addToConnected);
/** Contact imports. */
export const importQueue = createTypedQueue('imports', 'import-contacts', addToConnected);
/** Exports and reports. */
export const exportQueue = createTypedQueue('exports', 'export-records', addToConnected);
/** Emails. */
export const emailQueue = createTypedQueue('emails', 'send-email', addToConnected);
/** Events for merchants' endpoints, in batches. */
export const webhookQueue = createTypedQueue('webhooks', 'publish-events', addToConnected);
/** What operators are told. */
export const notificationQueue = createTypedQueue('notifications', 'send-notification', addToConnected);
/** Figures of finished periods. */
export const analyticsQueue = createTypedQueue('analytics', 'roll-up-period', addToConnected);
/** Subscriptions, erasure of persons, sources to stop. Main job: subscriptions. */
export const controlQueue = createTypedQueue('control', 'set-subscriptions', addToConnected);
