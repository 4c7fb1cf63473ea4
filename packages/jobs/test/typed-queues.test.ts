import { silentLogger, until } from '@switchyard/test-kit';
import t from 'tap';
import { campaignQueue, connectQueues, messageQueue, notificationQueue, queueNames } from '../src/index.ts';
import * as queues from '../src/queues.ts';
import { connect, notification, requestProfile, testQueues } from './helper.ts';

t.test('every queue of the catalog has a typed one', async (t) => {
  t.same(
    Object.values(queues)
      .map(({ name }) => name)
      .toSorted(),
    queueNames.toSorted(),
  );
});

t.test('before connectQueues a typed queue says so', async (t) => {
  await t.rejects(messageQueue.add({ to: '+4915112345678', content: 'hello' }), {
    code: 'QUEUES_NOT_CONNECTED',
  });
});

t.test('messageQueue.add takes {to, content} and its job returns {sent, messageId}', async (t) => {
  const { redis, producer, work } = await testQueues(t);
  const connection = connect(t, redis.url, requestProfile);
  await until(() => connection.status === 'ready');
  const connected = connectQueues({ connection, prefix: 'bull', logger: silentLogger() });
  t.teardown(() => connected.close());
  t.throws(() => connectQueues({ connection, prefix: 'bull', logger: silentLogger() }), {
    code: 'QUEUES_ALREADY_CONNECTED',
  });
  await work({
    queue: 'messages',
    processors: { 'send-message': async () => ({ sent: true, messageId: 'wamid.1' }) },
  });
  await work({
    queue: 'notifications',
    processors: { 'send-notification': () => Promise.reject(new Error('no')) },
  });

  const job = await messageQueue.add(
    { to: '+4915112345678', content: 'hello', type: 'text' },
    // Not `true`: whoever waits for the result needs the job to outlive its end.
    { priority: 1, attempts: 2, delay: 10, removeOnComplete: 10 },
  );
  t.ok(job.id);
  t.same(await job.waitUntilFinished(), { sent: true, messageId: 'wamid.1' });

  const failed = await notificationQueue.addJob('send-notification', notification('n1').payload, {
    attempts: 1,
  });
  await t.rejects(failed.waitUntilFinished(), { code: 'JOB_RESULT_MISSING', cause: /no/ });

  const campaign = await campaignQueue.add({ campaignId: 'spring' }, { delay: 60_000, jobId: 'spring' });
  t.equal(campaign.id, 'spring');
  t.equal(await producer.queue('campaigns').getDelayedCount(), 1);
  await t.rejects(campaign.waitUntilFinished(50), { code: 'JOB_RESULT_MISSING' });
});

t.test('the result of a job is found also where nobody heard the event of its end', async (t) => {
  const { redis } = await testQueues(t);
  const connection = connect(t, redis.url, requestProfile);
  await until(() => connection.status === 'ready');
  const connected = connectQueues({ connection, prefix: 'bull', logger: silentLogger() });
  t.teardown(() => connected.close());
  const job = await messageQueue.add(
    { to: '+4915112345678', content: 'hello', type: 'text' },
    { priority: 1, delay: 3_600_000 },
  );
  const result = job.waitUntilFinished();
  const isListening = async () => /cmd=xread/.test(String(await connection.client('LIST')));
  await until(isListening, { what: 'listening for events' });
  await connection.zrem('bull:messages:delayed', job.id);
  await connection.hset(`bull:messages:${job.id}`, 'returnvalue', '{"sent":true,"messageId":"wamid.1"}');
  await connection.zadd('bull:messages:completed', Date.now(), job.id);
  t.same(await result, { sent: true, messageId: 'wamid.1' });
});
