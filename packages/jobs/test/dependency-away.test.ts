import { defineError } from '@switchyard/errors';
import { until } from '@switchyard/test-kit';
import t from 'tap';
import { notification, testQueues } from './helper.ts';

const databaseAway = defineError('DATABASE_AWAY', 503, 'later');

t.test(
  'while its database is away a worker pauses, spends no attempt, and goes on when it is back',
  async (t) => {
    const { producer, work, sink, lines } = await testQueues(t);
    let isBack = false;
    let probes = 0;
    let runs = 0;
    const attempts = new Set<number>();
    const worker = await work({
      queue: 'notifications',
      stuckAfterMs: 200,
      probe: async () => {
        probes++;
        if (probes === 1) throw new Error('probing may fail in any way');
        return isBack;
      },
      processors: {
        'send-notification': async (_payload, { job }) => {
          runs++;
          attempts.add(job.attempt);
          if (!isBack) throw databaseAway('away', { delayMs: 10 });
        },
      },
    });
    const jobs = Array.from({ length: 30 }, (_, index) => notification(`n${index}`, { attempts: 1 }));
    await producer.addMany(jobs);
    await until(() => probes >= 2);
    const runsWhileAway = runs;
    t.ok(runsWhileAway < 30, `it does not burn through the queue: ${runsWhileAway} runs`);
    t.ok(worker.isProgressing(), 'pausing on purpose is no lack of progress');
    isBack = true;
    await until(async () => (await producer.queue('notifications').getCompletedCount()) === 30, {
      timeoutMs: 20_000,
    });
    t.same([...attempts], [1]);
    t.same(sink.entries, []);
    t.equal(lines.filter(({ msg }) => msg.startsWith('a dependency is away')).length, 1, 'told once');
  },
);

t.test('a pause by hand outlasts the return of the database', async (t) => {
  const { producer, work, lines } = await testQueues(t);
  let isBack = false;
  let runs = 0;
  const worker = await work({
    queue: 'notifications',
    probe: async () => isBack,
    processors: {
      'send-notification': async () => {
        runs++;
        if (!isBack) throw databaseAway('away', { delayMs: 10 });
      },
    },
  });
  await producer.add(notification('n1'));
  await until(() => runs === 1);
  await worker.pause();
  isBack = true;
  await until(() => lines.some(({ msg }) => msg.startsWith('the dependency is back')));
  t.equal(runs, 1);
  t.equal(await producer.queue('notifications').getDelayedCount(), 1);
  await worker.resume();
  await until(() => runs === 2);
});

t.test('a sink whose database is away pauses the worker as well', async (t) => {
  const { producer, work, sink } = await testQueues(t);
  let isBack = false;
  let probes = 0;
  await work({
    queue: 'notifications',
    probe: async () => {
      probes++;
      return isBack;
    },
    processors: {},
    failedJobs: {
      record: async (entry) => {
        if (!isBack) throw databaseAway('away');
        await sink.record(entry);
      },
    },
  });
  await producer.add(notification('n1'));
  await until(() => probes >= 1);
  t.same(sink.entries, []);
  isBack = true;
  await until(() => sink.entries.length === 1);
  t.match(sink.entries, [{ jobId: 'n1', code: 'JOB_UNKNOWN' }]);
});
