import { until } from '@switchyard/test-kit';
import t from 'tap';
import { createWatchdog } from '../src/watchdog.ts';
import { notification, quick, signal, testQueues } from './helper.ts';

t.test('jobs that wait without any progress are noticed, and only they', async (t) => {
  const { producer, connection } = await testQueues(t);
  const queue = producer.queue('notifications');
  const state = { activity: 0, idle: false, full: false };
  const noticed: { waiting: number }[] = [];
  const watchdog = createWatchdog({
    connection,
    keyPrefix: 'bull:notifications:',
    watched: {
      activity: () => state.activity,
      isIdleOnPurpose: () => state.idle,
      isFull: () => state.full,
    },
    rateMax: 5,
    stuckAfterMs: 200,
    onStuck: (facts) => void noticed.push(facts),
  });
  watchdog.start();
  t.teardown(() => watchdog.close());
  /** Long enough for two looks at the queue to find it stuck. */
  const stays = async (what: string) => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    t.ok(watchdog.isProgressing(), what);
  };

  await stays('an empty queue');
  await queue.pause();
  await producer.add(notification('n1'));
  await stays('a paused queue');
  await connection.set('bull:notifications:limiter', 5);
  await queue.resume();
  await stays('a queue at its rate');
  await connection.del('bull:notifications:limiter');
  state.full = true;
  await stays('a worker at its concurrency');
  state.full = false;
  state.idle = true;
  await stays('a worker that pauses on purpose');
  state.idle = false;
  await until(() => !watchdog.isProgressing());
  t.match(noticed, [{ waiting: 1 }], 'told once');
  state.activity++;
  await until(() => watchdog.isProgressing());
});

t.test('a worker that is busy with long jobs counts as progressing', async (t) => {
  const { producer, work } = await testQueues(t);
  const release = signal();
  let active = 0;
  const worker = await work({
    queue: 'notifications',
    overrides: { ...quick, queues: { notifications: { concurrency: 2 } } },
    stuckAfterMs: 200,
    processors: {
      'send-notification': async () => {
        active++;
        await release.promise;
      },
    },
  });
  await producer.addMany(Array.from({ length: 5 }, (_, index) => notification(`n${index}`)));
  await until(() => active === 2);
  await new Promise((resolve) => setTimeout(resolve, 600));
  t.ok(worker.isProgressing());
  release.resolve();
  await until(() => active === 5);
});
