import fc from 'fast-check';
import t from 'tap';
import { createPairLimit } from '../../src/whatsapp/pair-limit.ts';
import { createThroughputLimit } from '../../src/whatsapp/throughput-limit.ts';
import { send, start } from '../helper.ts';

t.test('a number refuses with 130429 above its throughput, and inbound messages count', async (t) => {
  const simulator = await start(t, {
    settings: { limits: { throughput: true }, webhooks: { paused: true } },
  });
  simulator.inject(Array.from({ length: 30 }, (_, n) => ({ from: `1555000${n}`, text: 'x' })));
  const answers = await Promise.all(Array.from({ length: 70 }, () => send(simulator)));
  const codes = answers.map(({ body }) => body.error?.code);
  t.equal(codes.filter((code) => code === undefined).length, 50);
  t.equal(codes.filter((code) => code === 130429).length, 20);
  t.match(simulator.statistics(), {
    rejectedByCode: { 130429: 20 },
    numbers: [{ perSecondLimit: 80, peakSecond: 80 }],
  });
  simulator.putNumber({ id: simulator.credentials.phoneNumberId, throughputLevel: 'HIGH' });
  t.equal((await send(simulator)).status, 200, 'a higher level holds at once');
});

t.test('one pair refuses with 131056 above its burst, other recipients go on', async (t) => {
  const simulator = await start(t, { settings: { limits: { pair: true } } });
  const answers = await Promise.all(Array.from({ length: 46 }, () => send(simulator)));
  t.equal(answers.filter(({ status }) => status === 200).length, 45);
  t.match(answers.find(({ status }) => status !== 200)?.body.error, {
    code: 131056,
    error_data: { details: /too many/ },
  });
  t.equal((await send(simulator, { to: '15551230002' })).status, 200);
});

t.test('twenty messages at once make a pair wait two minutes', async (t) => {
  let nowMs = 0;
  const limit = createPairLimit(() => nowMs);
  const rule = { intervalMs: 6000, burst: 45 };
  for (let n = 0; n < 20; n += 1) t.equal(limit.take('pair', rule), 0);
  nowMs = 6000;
  t.equal(limit.take('pair', rule), 114_000);
  nowMs = 120_000;
  t.equal(limit.take('pair', rule), 0);
  nowMs = 126_000;
  t.equal(limit.take('pair', rule), 0, 'one per interval goes on for ever');
});

t.test(
  'over any history a pair never exceeds one per interval beyond its burst, and keeps its word',
  async (t) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 200 }), (gaps) => {
        let nowMs = 0;
        let accepted = 0;
        const limit = createPairLimit(() => nowMs);
        const rule = { intervalMs: 1000, burst: 5 };
        for (const gap of gaps) {
          nowMs += gap;
          const waitMs = limit.take('pair', rule);
          if (waitMs === 0) accepted += 1;
          else {
            nowMs += waitMs;
            if (limit.take('pair', rule) !== 0) return false;
            accepted += 1;
          }
          if (accepted > nowMs / 1000 + 5 + 1) return false;
        }
        return true;
      }),
    );
    t.pass();
  },
);

t.test('over any history the sliding second holds what was counted in it, to a bucket', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 200 }), (gaps) => {
      let nowMs = 10_000;
      const at: number[] = [];
      const limit = createThroughputLimit(() => nowMs);
      for (const gap of gaps) {
        nowMs += gap;
        limit.count('n');
        at.push(nowMs);
        const within = (windowMs: number) => at.filter((each) => each > nowMs - windowMs).length;
        const current = limit.current('n');
        if (current > within(1000) || current < within(950)) return false;
      }
      return true;
    }),
  );
  t.pass();
});
