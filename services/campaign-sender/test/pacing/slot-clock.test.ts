import fc from 'fast-check';
import t from 'tap';
import { createForeignClock } from '../../src/pacing/foreign-clock.ts';
import { createSlotClock, LONGEST_LAG_MS } from '../../src/pacing/slot-clock.ts';

/** When slots are used by a process that is busy from time to time; those that are far too late are given up. All in ms. */
function usesOf(slots: readonly number[], busy: readonly { fromMs: number; forMs: number }[]): number[] {
  const clock = createSlotClock();
  const freeAt = (ms: number) =>
    busy.reduce((at, { fromMs, forMs }) => (at >= fromMs && at < fromMs + forMs ? fromMs + forMs : at), ms);
  const waiting = slots.map((slotMs) => ({ slotMs, wakeMs: slotMs }));
  const uses: number[] = [];
  let nowMs = 0;
  while (waiting.length > 0) {
    waiting.sort((a, b) => a.wakeMs - b.wakeMs || a.slotMs - b.slotMs);
    const next = waiting[0]!;
    nowMs = freeAt(Math.max(nowMs, next.wakeMs));
    const leftMs = clock.timeLeft('s', next.slotMs, nowMs);
    if (leftMs > 0) next.wakeMs = nowMs + leftMs;
    else {
      if (nowMs - next.slotMs <= LONGEST_LAG_MS) uses.push(nowMs);
      waiting.shift();
    }
  }
  return uses;
}

function busiestSecond(times: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [index, time] of times.entries()) {
    while (time - times[first]! >= 1000) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

const busyTimes = fc
  .array(fc.record({ gapMs: fc.integer({ min: 1, max: 400 }), forMs: fc.integer({ min: 1, max: 60 }) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((list) => {
    let at = 0;
    return list.map(({ gapMs, forMs }) => {
      const fromMs = at + gapMs;
      at = fromMs + forMs;
      return { fromMs, forMs };
    });
  });

t.test(
  'however a process is kept busy, no second holds more than the rate and what catching up may add',
  async (t) => {
    const slots = Array.from({ length: 490 }, (_, index) => index * (1000 / 196));
    fc.assert(
      fc.property(busyTimes, (busy) => {
        const uses = usesOf(slots, busy);
        const busyMs = busy.reduce((sum, { forMs }) => sum + forMs, 0);
      if (busyMs < LONGEST_LAG_MS && uses.length !== slots.length) throw new Error('a slot was lost');
        const most = busiestSecond(uses);
        if (most > 199) throw new Error(`${most} of 196 in a second`);
      }),
      { numRuns: 200 },
    );
    t.pass('200 processes');
  },
);

t.test('a late slot delays those after it, until the lost time is made up for', async (t) => {
  const clock = createSlotClock();
  t.equal(clock.timeLeft('s', 1000, 1040), 0, 'used 40 ms late');
  t.equal(clock.timeLeft('s', 1010, 1040), 10, 'the next is 40 ms late, too');
  t.equal(clock.timeLeft('other', 1050, 1050), 0, 'another number is on time');
  t.equal(clock.timeLeft('s', 3040, 3040), 30, 'two seconds later 10 ms are made up for');
  t.equal(clock.timeLeft('s', 9040, 9040), 0, 'eight seconds later all is');
  t.equal(clock.timeLeft('s', 9000, 9001 + LONGEST_LAG_MS), 0, 'far too late');
  t.equal(clock.timeLeft('s', 9300, 9300), 0, '… which nothing else waits for');
});

t.test(
  'another machine’s clock is known as well as its fastest answer tells, also when it drifts or is set',
  async (t) => {
    const delay = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ gapMs: fc.integer({ min: 0, max: 500 }), there: delay, back: delay }), {
          minLength: 1,
          maxLength: 50,
        }),
        fc.integer({ min: -400, max: 400 }),
        fc.integer({ min: -1e9, max: 1e9 }),
        (answers, driftPpm, setBy) => {
          const clock = createForeignClock();
          const read = (local: number, leadMs: number) => local * (1 + driftPpm / 1e6) + leadMs;
          let now = 0;
          let bestMs = Number.POSITIVE_INFINITY;
          for (const [index, { gapMs, there, back }] of answers.entries()) {
            // It is set once, half-way.
            const lead = 1e12 + (index >= answers.length / 2 ? setBy : 0);
            if (index === Math.ceil(answers.length / 2) && Math.abs(setBy) > 200)
              bestMs = Number.POSITIVE_INFINITY;
            if (index === Math.ceil(answers.length / 2) && Math.abs(setBy) <= 200) return;
            const sentMs = now + gapMs;
            const heardMs = sentMs + there + back;
            clock.observe(read(sentMs + there, lead), sentMs, heardMs);
            bestMs = Math.min(bestMs + (heardMs - now) * 0.001, (there + back) / 2);
            now = heardMs;
            const errorMs = Math.abs(clock.toLocal(read(now, lead)) - now);
            if (errorMs > bestMs + 1.5) throw new Error(`${errorMs} ms wrong, ${bestMs} known`);
          }
        },
      ),
      { numRuns: 500 },
    );
    t.pass('500 clocks');
  },
);
