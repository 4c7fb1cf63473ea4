import t from 'tap';
import { createTimerWheel } from '../src/timer-wheel.ts';

t.test(
  'calls come in the order of their delays, never early, also beyond one turn of the wheel',
  async (t) => {
    const wheel = createTimerWheel(5, 8);
    const startedAt = performance.now();
    const called: number[] = [];
    await new Promise<void>((resolve) => {
      for (const delayMs of [200, 90, 0, 41, 40]) {
        wheel.schedule(delayMs, () => {
          t.ok(performance.now() - startedAt >= delayMs, `${delayMs} ms passed`);
          called.push(delayMs);
          if (delayMs === 200) resolve();
        });
      }
    });
    t.same(
      called.map((delayMs) => Math.round(delayMs / 45)),
      [0, 1, 1, 2, 4],
    );
    t.equal(wheel.size, 0);
  },
);

t.test('a cleared wheel calls nothing and lets the process end', async (t) => {
  const wheel = createTimerWheel(1, 8);
  wheel.schedule(1, () => t.fail('was called'));
  wheel.clear();
  await new Promise<void>((resolve) => wheel.schedule(10, resolve));
  t.equal(wheel.size, 0);
});
