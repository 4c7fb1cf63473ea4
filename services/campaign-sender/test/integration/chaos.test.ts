import { createSqliteDatabase } from '@switchyard/test-kit';
import t from 'tap';
import { runChaos } from '../chaos/run-chaos.ts';
import { flowing, impatient, withheld } from '../chaos/scenarios.ts';

/** The small version of `npm run chaos:messages`. */
const small = { numbers: 4, workers: 1, redisRestarts: 0, kills: 0, perSecond: 20 };

t.test(
  'workers and Redis die, calls are cut, hang and fail: nothing is lost, nothing is sent twice',
  async (t) => {
    const report = await runChaos(t, await createSqliteDatabase(t), {
      ...small,
      ...flowing,
      ...{ messages: 200, perSecond: 5, kills: 3, redisRestarts: 1 },
    });
    t.strictSame(report.lost, []);
    t.strictSame(report.repeated, []);
    t.strictSame(report.surprises, []);
    t.equal(report.kills, 3);
  },
);

t.test('where receipts are withheld, exactly those are sent again that the provider predicts', async (t) => {
  const report = await runChaos(t, await createSqliteDatabase(t), { ...small, ...withheld, messages: 200 });
  t.strictSame(report.lost, []);
  t.strictSame(report.surprises, []);
  t.ok(report.predicted.length > 0, 'some were withheld');
});

t.test('with parking switched off the same checker finds repeats', async (t) => {
  const report = await runChaos(t, await createSqliteDatabase(t), {
    ...small,
    ...impatient,
    messages: 100,
  });
  t.ok(report.surprises.length > 0);
});
