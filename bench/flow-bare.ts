/**
 * The bare chain that `flow` measures against: a BullMQ worker on `flows` that does nothing but ask `messages` for a reply, with the
 * options of the catalog's queues.
 *
 *   node --conditions=@switchyard/source bench/flow-bare.ts <redis url>
 */
import { settingsOf } from '@switchyard/jobs';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const [url = ''] = process.argv.slice(2);
const options = { maxRetriesPerRequest: null, db: 1 };
const settings = settingsOf('flows');
const sending = settingsOf('messages');
const messages = new Queue('messages', { connection: new Redis(url, options), skipVersionCheck: true });
const worker = new Worker(
  'flows',
  async ({ data }) => {
    const { contact, eventId, merchantId } = data.payload;
    const payload = {
      merchantId,
      messageId: `msg_${eventId}`,
      to: contact.address,
      type: 'text',
      content: { body: 'Please send us your order number, and we will look it up.' },
      contactId: contact.id,
      lane: 'flow',
      origin: { kind: 'flow', runId: `run_${eventId}`, stepId: '1' },
    };
    await messages.add(
      'send-message',
      { v: 1, payload, meta: data.meta },
      {
        jobId: payload.messageId,
        attempts: sending.attempts,
        backoff: { type: 'exponential', delay: sending.backoffMs },
        priority: 4,
      },
    );
  },
  {
    connection: new Redis(url, options),
    concurrency: settings.concurrency,
    lockDuration: 10_000,
    stalledInterval: 5000,
    removeOnComplete: { count: 100 },
    removeOnFail: { count: 500 },
    metrics: { maxDataPoints: 1440 },
  },
);
await worker.waitUntilReady();
console.log('bare chain is ready');
