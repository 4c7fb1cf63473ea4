import { defineError } from '@switchyard/errors';
import { spawnNode, until } from '@switchyard/test-kit';
import t from 'tap';
import { notification, testQueues } from './helper.ts';

const addressBad = defineError('ADDRESS_BAD', 422, 'never');

t.test('a final failure is recorded before the job is in the failed set', async (t) => {
  const { producer, work } = await testQueues(t);
  const queue = producer.queue('notifications');
  const states: string[] = [];
  await work({
    queue: 'notifications',
    processors: { 'send-notification': () => Promise.reject(addressBad('no such address')) },
    failedJobs: { record: async ({ jobId }) => void states.push(await queue.getJobState(jobId)) },
  });
  await producer.add(notification('n1'));
  await until(async () => (await queue.getFailedCount()) === 1);
  t.same(states, ['active']);
});

t.test('a final failure that can not be recorded stays in the queue until it can', async (t) => {
  const { producer, work, sink } = await testQueues(t);
  const queue = producer.queue('notifications');
  let tries = 0;
  await work({
    queue: 'notifications',
    processors: { 'send-notification': () => Promise.reject(addressBad('no such address')) },
    failedJobs: {
      record: async (entry) => {
        if (++tries === 1) throw new Error('the database is on holiday');
        await sink.record(entry);
      },
    },
  });
  await producer.add(notification('n1', { attempts: 1 }));
  const job = await until(async () => {
    const found = await queue.getJob('n1');
    return (await found?.isDelayed()) && found;
  });
  t.equal(job.attemptsMade, 0, 'no attempt spent');
  t.equal(await queue.getFailedCount(), 0);
  await job.promote();
  await until(async () => (await queue.getFailedCount()) === 1);
  t.match(sink.entries, [{ jobId: 'n1', code: 'ADDRESS_BAD' }]);
});

t.test('a result that is no JSON fails the job, and that is recorded too', async (t) => {
  const { producer, work, sink } = await testQueues(t);
  await work({
    queue: 'notifications',
    processors: { 'send-notification': async () => ({ big: 1n }) },
  });
  await producer.add(notification('n1', { attempts: 1 }));
  await until(() => sink.entries.length === 1);
  t.match(sink.entries, [{ jobId: 'n1', code: 'JOB_FAILED' }]);
});

t.test('killed between record and failed set: the job runs once more and is recorded again', async (t) => {
  const { redis, producer, work, sink } = await testQueues(t);
  const queue = producer.queue('notifications');
  const child = spawnNode(t, new URL('./fixtures/worker-process.ts', import.meta.url), {
    env: { REDIS: redis.url, BEHAVIOUR: 'never-and-hang' },
  });
  await child.waitForLine(/ready/);
  await producer.add(notification('n1'));
  await child.waitForLine(/recorded n1 ADDRESS_BAD/);
  await child.kill('SIGKILL');
  t.equal(await queue.getFailedCount(), 0, 'it died before BullMQ knew');
  await work({
    queue: 'notifications',
    processors: { 'send-notification': () => Promise.reject(addressBad('no such address')) },
  });
  await until(() => sink.entries.length === 1, { timeoutMs: 20_000 });
  await until(async () => (await queue.getFailedCount()) === 1);
  t.match(sink.entries, [{ jobId: 'n1', code: 'ADDRESS_BAD' }]);
});
