import { defineError } from '@switchyard/errors';
import { until } from '@switchyard/test-kit';
import t from 'tap';
import type { JobObserver } from '../src/index.ts';
import { notification, signal, testQueues } from './helper.ts';

const rateReached = defineError('RATE_REACHED', 429, 'later');
const addressBad = defineError('ADDRESS_BAD', 422, 'never');
const providerBusy = defineError('PROVIDER_BUSY', 503, 'retry');

t.test(
  'done: a processor gets payload, ids and correlation; its value is the result of the job',
  async (t) => {
    const { producer, work, lines, sink } = await testQueues(t);
    const seen = signal<unknown>();
    const finished: Parameters<JobObserver['onFinished']>[0][] = [];
    await work({
      queue: 'notifications',
      observer: { onFinished: (attempt) => void finished.push(attempt) },
      processors: {
        'send-notification': async (payload, { job, logger }) => {
          logger.info('from the processor');
          seen.resolve({ payload, job });
          return { told: 1 };
        },
      },
    });
    const added = await producer.add({
      ...notification('n1'),
      meta: { correlationId: 'c-1', traceparent: '00-aa-bb-01', merchantId: 'm1' },
    });
    t.equal(added.jobId, 'n1', 'the id by the rule of the catalog');
    t.match(await seen.promise, {
      payload: { notificationId: 'n1', title: 'A test' },
      job: {
        id: 'n1',
        name: 'send-notification',
        queue: 'notifications',
        attempt: 1,
        maxAttempts: 3,
        meta: { correlationId: 'c-1', traceparent: '00-aa-bb-01', merchantId: 'm1' },
      },
    });
    const job = await until(async () => {
      const found = await producer.queue('notifications').getJob('n1');
      return found?.finishedOn !== undefined && found;
    });
    t.same(job.returnvalue, { told: 1 });
    const bound = {
      queue: 'notifications',
      job: 'send-notification',
      jobId: 'n1',
      attempt: 1,
      correlationId: 'c-1',
    };
    t.match(
      lines.find(({ msg }) => msg === 'from the processor'),
      bound,
    );
    t.match(
      lines.filter(({ msg }) => msg === 'job done'),
      [{ ...bound, outcome: 'done' }],
      'one summary line',
    );
    t.match(finished, [{ queue: 'notifications', name: 'send-notification', outcome: 'done' }]);
    t.same(sink.entries, []);
  },
);

t.test('retry: an attempt is spent, the last one is exhausted and recorded whole', async (t) => {
  const { producer, work, sink } = await testQueues(t);
  const attempts: number[] = [];
  const outcomes: string[] = [];
  await work({
    queue: 'notifications',
    observer: { onFinished: ({ outcome }) => void outcomes.push(outcome) },
    processors: {
      'send-notification': async (_payload, { job }) => {
        attempts.push(job.attempt);
        throw attempts.length === 1 ? new TypeError('not coded') : providerBusy('busy');
      },
    },
  });
  await producer.add({ ...notification('n1'), meta: { correlationId: 'c-1', merchantId: 'm1' } });
  await until(() => sink.entries.length === 1);
  t.same(attempts, [1, 2, 3]);
  await until(() => outcomes.length === 3);
  t.same(outcomes, ['retry', 'retry', 'exhausted']);
  const [entry] = sink.entries;
  t.match(entry, {
    queue: 'notifications',
    name: 'send-notification',
    jobId: 'n1',
    code: 'PROVIDER_BUSY',
    reason: 'busy',
    attemptsMade: 3,
    merchantId: 'm1',
    correlationId: 'c-1',
  });
  t.match(JSON.parse(entry!.data), { v: 1, payload: { notificationId: 'n1' }, meta: { merchantId: 'm1' } });
  const job = await until(async () => {
    const found = await producer.queue('notifications').getJob('n1');
    return (await found?.isFailed()) && found;
  });
  t.equal(job.failedReason, 'PROVIDER_BUSY: busy');
});

t.test("later: no attempt is spent, the pause is the error's own or grows", async (t) => {
  const { producer, work, sink } = await testQueues(t);
  const starts: { attempt: number; atMs: number }[] = [];
  const done = signal();
  await work({
    queue: 'notifications',
    processors: {
      'send-notification': async (_payload, { job }) => {
        starts.push({ attempt: job.attempt, atMs: Date.now() });
        if (starts.length <= 4) throw rateReached('wait', { delayMs: 50 });
        if (starts.length === 5) throw rateReached('wait');
        done.resolve();
      },
    },
  });
  await producer.add(notification('n1', { attempts: 1 }));
  // The fifth pause names no delay: 1 s × 2^4, so the test hurries it.
  const job = await until(async () => {
    const found = await producer.queue('notifications').getJob('n1');
    return starts.length === 5 && (await found?.isDelayed()) && found;
  });
  t.equal(job.delay, 16_000, 'doubles with every time it was put off');
  await job.promote();
  await done.promise;
  t.same(
    starts.map(({ attempt }) => attempt),
    [1, 1, 1, 1, 1, 1],
  );
  t.ok(starts[1]!.atMs - starts[0]!.atMs >= 50);
  t.same(sink.entries, []);
});

t.test('never: recorded and failed at the first attempt', async (t) => {
  const { producer, work, sink } = await testQueues(t);
  await work({
    queue: 'notifications',
    processors: { 'send-notification': () => Promise.reject(addressBad('no such address')) },
  });
  await producer.add(notification('n1'));
  await until(async () => (await producer.queue('notifications').getFailedCount()) === 1);
  t.match(sink.entries, [{ jobId: 'n1', code: 'ADDRESS_BAD', attemptsMade: 1 }]);
});

t.test('a failed job that is added again runs again', async (t) => {
  const { producer, work } = await testQueues(t);
  let runs = 0;
  const done = signal();
  await work({
    queue: 'notifications',
    processors: {
      'send-notification': async () => {
        if (++runs === 1) throw addressBad('no such address');
        done.resolve();
      },
    },
  });
  await producer.add(notification('n1'));
  await until(async () => (await producer.queue('notifications').getFailedCount()) === 1);
  await producer.add(notification('n1'));
  t.equal(await producer.queue('notifications').getFailedCount(), 1, 'its id still guards it');
  await producer.addAgain(notification('n1'));
  await done.promise;
  t.equal(runs, 2);
});
