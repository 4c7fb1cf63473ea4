import { until } from '@switchyard/test-kit';
import t from 'tap';
import { queueNames, readOldestWaiting, readQueueCounts } from '../src/index.ts';
import { notification, signal, testQueues } from './helper.ts';

const message = (messageId: string, priority: number) => ({
  queue: 'messages' as const,
  name: 'send-message' as const,
  payload: { messageId, to: '+4915112345678', content: 'hello' },
  options: { priority },
});

t.test("the figures of all queues come in one round trip and agree with BullMQ's", async (t) => {
  const { producer, connection, work } = await testQueues(t);
  const release = signal();
  let active = 0;
  const queue = producer.queue('notifications');
  await producer.addMany([message('a', 1), message('b', 9)]);
  await producer.add(notification('later', { delayMs: 60_000 }));
  await producer.addMany(Array.from({ length: 8 }, (_, index) => notification(`n${index}`)));
  await work({
    queue: 'notifications',
    processors: {
      'send-notification': async ({ notificationId }) => {
        if (notificationId === 'n0') throw Object.assign(new Error('bad'), { name: 'UnrecoverableError' });
        if (notificationId === 'n1') return;
        active++;
        await release.promise;
      },
    },
    overrides: {
      defaults: { concurrency: 3, attempts: 1, backoffMs: 20 },
      queues: { notifications: { concurrency: 3 } },
    },
  });
  await until(() => active === 3);
  await producer.queue('flows').pause();
  const before = await calls(connection);
  const counts = await readQueueCounts({ connection, prefix: 'bull' });
  t.equal(await calls(connection), before + 8 * queueNames.length + 1, 'nothing is asked twice');
  t.same(Object.keys(counts), queueNames);
  t.match(counts.messages, { name: 'messages', waiting: 2, active: 0, isPaused: false });
  const bull = await queue.getJobCounts();
  t.same(counts.notifications, {
    name: 'notifications',
    waiting: bull.waiting,
    active: 3,
    completed: 1,
    failed: bull.failed,
    delayed: bull.delayed,
    isPaused: false,
  });
  t.equal(counts.flows.isPaused, true);
  release.resolve();
});

t.test('the oldest waiting job is found by when it was due, in every priority', async (t) => {
  const { producer, connection } = await testQueues(t);
  await producer.add(notification('young'));
  await producer.add(message('urgent', 1));
  await producer.add(message('patient', 9));
  const hourAgoMs = Date.now() - 3_600_000;
  await connection.hset('bull:messages:patient', 'timestamp', hourAgoMs);
  const ages = await readOldestWaiting({ connection, prefix: 'bull' });
  t.ok(ages.messages! >= 3_600_000 && ages.messages! < 3_660_000);
  t.ok(ages.notifications! < 60_000);
  t.equal(ages.flows, undefined);
  await producer.add({
    ...notification('was-delayed'),
    queue: 'notifications',
    options: { delayMs: 3_599_000 },
  });
  await connection.del('bull:notifications:wait');
  await connection.hset('bull:notifications:was-delayed', 'timestamp', hourAgoMs);
  await connection.zrem('bull:notifications:delayed', 'was-delayed');
  await connection.lpush('bull:notifications:wait', 'was-delayed');
  const { notifications } = await readOldestWaiting({
    connection,
    prefix: 'bull',
    queues: ['notifications'],
  });
  t.ok(notifications! >= 1000 && notifications! < 61_000, 'its own delay is no waiting');
});

/** Commands the server has processed so far. */
async function calls(connection: { info(section: string): Promise<string> }): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await connection.info('stats'))?.[1]);
}
