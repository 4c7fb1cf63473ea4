import { spawnNode, until } from '@switchyard/test-kit';
import t from 'tap';
import { notification, testQueues } from './helper.ts';

t.test(
  'a killed worker: its jobs go on elsewhere within 20 s; one that stalls too often is recorded',
  async (t) => {
    const { redis, connection, producer, work, sink } = await testQueues(t);
    const child = spawnNode(t, new URL('./fixtures/worker-process.ts', import.meta.url), {
      env: { REDIS: redis.url, BEHAVIOUR: 'hang' },
    });
    await child.waitForLine(/ready/);
    await producer.add(notification('innocent', { attempts: 1 }));
    await producer.add(notification('deadly', { attempts: 1 }));
    await child.waitForLine(/started innocent/);
    await child.waitForLine(/started deadly/);
    // As if it had taken three workers down before.
    await connection.hset('bull:notifications:deadly', 'stc', 3);
    const runs: { id: string; attempt: number; atMs: number }[] = [];
    const stalled: string[] = [];
    await work({
      queue: 'notifications',
      observer: { onFinished: () => undefined, onStalled: ({ jobId }) => void stalled.push(jobId) },
      processors: {
        'send-notification': async (_payload, { job }) => {
          runs.push({ id: job.id, attempt: job.attempt, atMs: Date.now() });
        },
      },
    });
    const killedMs = Date.now();
    await child.kill('SIGKILL');
    await until(() => runs.length === 1 && sink.entries.length === 1, { timeoutMs: 20_000 });
    t.match(runs, [{ id: 'innocent', attempt: 1 }], 'a crash spends no attempt');
    t.comment(`resumed after ${runs[0]!.atMs - killedMs} ms`);
    t.match(sink.entries, [{ jobId: 'deadly', code: 'JOB_STALLED' }]);
    t.match(JSON.parse(sink.entries[0]!.data), { payload: { notificationId: 'deadly' } }, 'whole');
    t.same(stalled.toSorted(), ['deadly', 'innocent']);
    await until(async () => (await producer.queue('notifications').getFailedCount()) === 1);
  },
);
