import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { Queue } from 'bullmq';
import Fastify from 'fastify';
import { Redis } from 'ioredis';

/** What ingress is measured against: the same HMAC, the same Redis commands, the same `add` of the same job, and nothing else. */
const [, , redisUrl = '', secret = ''] = process.argv;
const settings = { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 1000 };
const queueRedis = new Redis(`${redisUrl}/1`, settings);
const dedupRedis = new Redis(`${redisUrl}/2`, settings);
await Promise.all(
  [queueRedis, dedupRedis].map((client) => new Promise((resolve) => client.once('ready', resolve))),
);
const queue = new Queue('inbound', {
  connection: queueRedis,
  streams: { events: { maxLen: 1000 } },
  skipVersionCheck: true,
});

const app = Fastify({ bodyLimit: 3_200_000 });
app.removeContentTypeParser('application/json');
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
  done(null, body),
);
app.post('/webhooks/whatsapp', async (request, reply) => {
  const body = request.body as Buffer;
  const stated = Buffer.from(String(request.headers['x-hub-signature-256']).slice(7), 'hex');
  const expected = createHmac('sha256', secret).update(body).digest();
  if (stated.length !== 32 || !timingSafeEqual(stated, expected)) return reply.code(401).send();
  const [entry] = JSON.parse(body.toString()).entry;
  const { field, value } = entry.changes[0];
  const [message] = value.messages;
  const [contact] = value.contacts;
  const id = `evt_${createHash('sha256').update(message.id).digest('base64url').slice(0, 27)}`;
  if ((await dedupRedis.get(`done:${id}`)) === null) {
    await queue.add(
      'receive-message',
      {
        v: 1,
        payload: {
          merchantId: 'default',
          receivedAtMs: Date.now(),
          wabaId: entry.id,
          phoneNumberId: value.metadata.phone_number_id,
          eventId: id,
          message,
          occurredAtMs: Number(message.timestamp) * 1000,
          field,
          displayPhoneNumber: value.metadata.display_phone_number,
          profile: { name: contact.profile.name, waId: contact.wa_id },
        },
        meta: {
          correlationId: randomUUID(),
          traceparent: `00-${'0'.repeat(16)}0123456789abcdef-0123456789abcdef-01`,
          merchantId: 'default',
        },
      },
      {
        jobId: id,
        attempts: 3,
        backoff: { type: 'exponential', delay: 5000 },
        deduplication: { id, ttl: 900_000 },
      },
    );
    await dedupRedis.set(`done:${id}`, '1', 'EX', 86_400);
  }
  return reply.type('application/json').send('{"success":true}');
});
await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
console.log(`listening at http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
