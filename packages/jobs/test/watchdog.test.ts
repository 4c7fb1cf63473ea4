import { until } from '@switchyard/test-kit';
import t from 'tap';
import { createWatchdog } from '../src/watchdog.ts';
import { notification, quick, signal, testQueues } from './helper.ts';

t.test('jobs that wait without any progress are noticed, and only they', async (t) => {
  const { producer, connection } = await testQueues(t);
  const queue = producer.queue('notifications');
  const state = { activity: 0, idle: false, full: false };
  const noticed: { waiting: number }[] = [];
  let looks = 0;
  const watchdog = createWatchdog({
    connection,
    keyPrefix: 'bull:notifications:',
    watched: {
      activity: () => {
        looks++;
        return state.activity;
      },
      isIdleOnPurpose: () => state.idle,
      isFull: () => state.full,
    },
    rateMax: 5,
    stuckAfterMs: 200,
    onStuck: (facts) => void noticed.push(facts),
  });
  watchdog.start();
  t.teardown(() => watchdog.close());
  /** After five looks, a tenth of a second apart, a stuck queue would have been found so. */
  const stays = async (what: string) => {
    const seen = looks;
    await until(() => looks >= seen + 5);
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
    stuckAfterMs: 100,
    processors: {
      'send-notification': async () => {
        active++;
        await release.promise;
      },
    },
  });
  await producer.addMany(Array.from({ length: 5 }, (_, index) => notification(`n${index}`)));
  await until(() => active === 2);
  // Five times as long as the worker may be idle while jobs wait: what must not happen takes time not to.
  const untilMs = performance.now() + 500;
  await until(() => {
    if (!worker.isProgressing()) throw new Error('counts as stuck');
    return performance.now() > untilMs;
  });
  release.resolve();
  await until(() => active === 5);
});
