import { startRedis } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import { runBreakerScript } from '../src/breaker-script.ts';
import {
  advanceBreaker,
  type BreakerEvent,
  type BreakerPolicy,
  closedBreaker,
} from '../src/breaker-state.ts';
import { runTakeScript, runUpdateScript } from '../src/budget-script.ts';
import { freshBudget, takeBudget, updateBudget } from '../src/budget-state.ts';
import { connect, ready } from './helper.ts';

const start = 1_800_000_000_000;

t.test('the breaker in Redis and the one in the process are the same machine', async (t) => {
  const client = connect(t, await startRedis(t), 'queue');
  await ready(client);
  const policy: BreakerPolicy = {
    windowMs: 1000,
    minimumFailures: 3,
    failureRatio: 0.5,
    openMs: 400,
    maxOpenMs: 1500,
    probeMs: 700,
  };
  const count = fc.nat(3);
  const probe = fc.constantFrom('p', 'q');
  const event = fc.oneof(
    fc.record({ type: fc.constant('sync' as const), failures: count, successes: count }),
    fc.record({ type: fc.constant('admit' as const), probe }),
    fc.record({
      type: fc.constant('settle' as const),
      probe,
      result: fc.constantFrom('success' as const, 'failure' as const),
    }),
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(900), event), { maxLength: 30 }), async (steps) => {
      const key = `breaker:${++run}`;
      const state = closedBreaker();
      let now = start;
      let probing: { name: string; until: number } | undefined;
      for (const [pauseMs, each] of steps as [number, BreakerEvent][]) {
        now += pauseMs;
        const expected = advanceBreaker(state, each, now, policy);
        const actual = await runBreakerScript(client, key, each, policy, now);
        if (expected.phase !== actual.phase || expected.waitMs !== actual.waitMs)
          throw new Error(`${JSON.stringify({ each, expected, actual })}`);
        if (each.type === 'settle' && each.probe === probing?.name) probing = undefined;
        if (actual.phase === 'probe' && each.type === 'admit') {
          if (probing && probing.until > now) throw new Error('two probes at a time');
          probing = { name: each.probe, until: now + policy.probeMs };
        }
      }
    }),
    { numRuns: 200 },
  );
});

t.test('the budget in Redis and the one in the process are the same, and never lend', async (t) => {
  const client = connect(t, await startRedis(t), 'queue');
  await ready(client);
  const assumed = { maximum: 100, restorePerSecond: 50 };
  const step = fc.oneof(
    fc.record({ type: fc.constant('take' as const), cost: fc.nat(120) }),
    fc.record({
      type: fc.constant('update' as const),
      available: fc.nat(100),
      rate: fc.integer({ min: 1, max: 100 }),
      settled: fc.option(fc.nat(120), { nil: undefined }),
    }),
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(40_000), step), { maxLength: 30 }), async (steps) => {
      const key = `budget:${++run}`;
      let now = start;
      const state = freshBudget(assumed, start);
      for (const [pauseMs, each] of steps) {
        now += pauseMs;
        if (each.type === 'take') {
          const expected = takeBudget(state, each.cost, 5000, now);
          const { waitMs } = await runTakeScript(client, key, each.cost, 5000, assumed, now);
          if (expected !== waitMs) throw new Error(`waits ${expected} and ${waitMs}`);
          if (waitMs === 0 && each.cost <= 100 && state.milli < 0) throw new Error('lent');
        } else {
          const report = { available: each.available, maximum: 100, restorePerSecond: each.rate };
          updateBudget(state, report, each.settled, now);
          await runUpdateScript(client, key, report, each.settled, now);
        }
      }
    }),
    { numRuns: 200 },
  );
});
