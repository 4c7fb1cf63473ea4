import { defineError } from '@switchyard/errors';
import { until } from '@switchyard/test-kit';
import t from 'tap';
import { notification, quick, signal, testQueues } from './helper.ts';

const keptByProcessor = defineError('KEPT_BY_PROCESSOR', 409, 'never');
const never = new Promise<never>(() => undefined);
const short = { ...quick, queues: { notifications: { backoffMs: 20, timeoutMs: 100 } } };

t.test('time-out: the signal is aborted and an attempt is spent, under the code JOB_TIMED_OUT', async (t) => {
  const { producer, work, sink } = await testQueues(t);
  const reasons: unknown[] = [];
  await work({
    queue: 'notifications',
    overrides: short,
    processors: {
      'send-notification': (_payload, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason.code);
            reject(new DOMException('aborted', 'AbortError'));
          });
        }),
    },
  });
  await producer.add(notification('n1', { attempts: 2 }));
  await until(() => sink.entries.length === 1);
  t.same(reasons, ['JOB_TIMED_OUT', 'JOB_TIMED_OUT']);
  t.match(sink.entries, [{ code: 'JOB_TIMED_OUT', attemptsMade: 2 }]);
});

t.test('time-out: a processor that ignores its signal is left behind', async (t) => {
  const { producer, work, sink } = await testQueues(t);
  await work({
    queue: 'notifications',
    overrides: short,
    processors: { 'send-notification': () => never },
  });
  await producer.add(notification('n1', { attempts: 1 }));
  await until(() => sink.entries.length === 1);
  t.match(sink.entries, [{ code: 'JOB_TIMED_OUT' }]);
});

t.test('time-out: a processor may answer it with an outcome of its own', async (t) => {
  const { producer, work, sink } = await testQueues(t);
  await work({
    queue: 'notifications',
    overrides: short,
    processors: {
      'send-notification': (_payload, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(keptByProcessor('parked')));
        }),
    },
  });
  await producer.add(notification('n1'));
  await until(() => sink.entries.length === 1);
  t.match(sink.entries, [{ code: 'KEPT_BY_PROCESSOR', attemptsMade: 1 }]);
});

t.test('closing waits for what is under way and takes nothing more', async (t) => {
  const { producer, work } = await testQueues(t);
  const queue = producer.queue('notifications');
  const started = signal();
  const release = signal();
  const worker = await work({
    queue: 'notifications',
    overrides: { ...quick, defaults: { ...quick.defaults }, queues: { notifications: { concurrency: 1 } } },
    processors: {
      'send-notification': async () => {
        started.resolve();
        await release.promise;
      },
    },
  });
  await producer.add(notification('n1'));
  await producer.add(notification('n2'));
  await started.promise;
  const closed = worker.close(10_000);
  release.resolve();
  await closed;
  t.equal(await queue.getCompletedCount(), 1);
  t.equal(await queue.getWaitingCount(), 1);
  t.equal(await queue.getActiveCount(), 0);
});

t.test('closing aborts what takes too long and puts it back, no attempt spent', async (t) => {
  const { producer, work, sink } = await testQueues(t);
  const queue = producer.queue('notifications');
  const started = new Set<string>();
  const worker = await work({
    queue: 'notifications',
    processors: {
      'send-notification': ({ notificationId }, { signal }) => {
        started.add(notificationId);
        if (notificationId === 'deaf') return never;
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
    },
  });
  await producer.add(notification('listens', { attempts: 1 }));
  await producer.add(notification('deaf', { attempts: 1 }));
  await until(() => started.size === 2);
  const beganMs = Date.now();
  await worker.close(100);
  t.ok(Date.now() - beganMs < 10_000, 'within the grace');
  t.equal(await queue.getDelayedCount(), 2);
  for (const job of await queue.getDelayed()) t.equal(job.attemptsMade, 0);
  t.same(sink.entries, []);
});
