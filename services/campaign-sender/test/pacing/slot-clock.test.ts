import fc from 'fast-check';
import t from 'tap';
import { createBaseDelay } from '../../src/pacing/base-delay.ts';
import { createForeignClock } from '../../src/pacing/foreign-clock.ts';
import { paceOfThroughput } from '../../src/pacing/pace.ts';
import { createSlotClock, LONGEST_LAG_MS, TOLERANCE_MS } from '../../src/pacing/slot-clock.ts';

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
    const leftMs = clock.timeLeft('s', { atMs: next.slotMs, lostMs: 0 }, nowMs);
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
        if (most > 200) throw new Error(`${most} of 196 in a second`);
      }),
      { numRuns: 200 },
    );
    t.pass('200 processes');
  },
);

t.test('a late slot delays those after it, until the lost time is made up for', async (t) => {
  const clock = createSlotClock();
  const left = (number: string, atMs: number, nowMs: number, lostMs = 0) =>
    Math.round(clock.timeLeft(number, { atMs, lostMs }, nowMs));
  t.equal(left('s', 1000, 1040 + TOLERANCE_MS), 0, 'used 40 ms too late');
  t.equal(left('s', 1020, 1040 + TOLERANCE_MS), 20 - TOLERANCE_MS, 'the next is 40 ms late, too');
  t.equal(left('s', 1020, 1059 + TOLERANCE_MS), 0, 'a timer that fires a little late …');
  t.equal(left('s', 1021, 1051), 10, '… delays nobody else');
  t.equal(left('other', 1050, 1050), 0, 'another number is on time');
  t.equal(left('s', 3046, 3046), 30, 'two seconds later 10 ms are made up for');
  t.equal(left('s', 3046, 3046, 25), 5, 'time that nobody has reserved makes up for the rest');
  t.equal(left('s', 9050, 9050), 0, 'after some seconds nothing is left');
  t.equal(left('s', 9000, 9001 + LONGEST_LAG_MS), 0, 'far too late');
  t.equal(left('s', 9300, 9300), 0, '… which nothing else waits for');
});

t.test('timers that are a little late never add up', async (t) => {
  const clock = createSlotClock();
  for (let index = 0; index < 10_000; index += 1) {
    const slot = { atMs: index, lostMs: 0 };
    const leftMs = clock.timeLeft('s', slot, index);
    if (leftMs > 0) throw new Error(`slot ${index} waits for ${leftMs} ms`);
    clock.timeLeft('s', slot, index + TOLERANCE_MS - 0.1);
  }
  t.pass('10,000 slots');
});

t.test(
  'what was held up on its way to the provider delays what follows, a single slow answer nothing',
  async (t) => {
    const clock = createSlotClock();
    const request = { senderId: 's', pace: paceOfThroughput(1000) };
    const slot = (atMs: number) => ({ atMs, lostMs: 0 });
    for (let atMs = 0; atMs < 100; atMs += 1) clock.answered(request, slot(atMs), 5, atMs + 5);
    t.equal(clock.timeLeft('s', slot(105), 105), 0, 'all in time');
    clock.answered(request, slot(100), 300, 400);
    clock.answered(request, slot(399), 5, 404);
    t.equal(clock.timeLeft('s', slot(404), 404), 0, 'one that took long');
    for (let atMs = 500; atMs < 540; atMs += 1) clock.answered(request, slot(atMs), 545 - atMs, 545);
    t.equal(clock.timeLeft('s', slot(545), 545), 40 - 3 - TOLERANCE_MS, 'forty that came together');
    t.equal(clock.timeLeft('other', slot(545), 545), 0);
    const slow = { senderId: 'slow', pace: paceOfThroughput(80) };
    for (let atMs = 500; atMs < 540; atMs += 1) clock.answered(slow, slot(atMs), 545 - atMs, 545);
    t.equal(clock.timeLeft('slow', slot(545), 545), 0, 'of a slow number, there are never so many');
  },
);

t.test('the shortest time of a call is that of the last ten to twenty seconds', async (t) => {
  const delay = createBaseDelay();
  t.equal(delay.ms, 0);
  for (const [tookMs, atMs] of [
    [50, 0],
    [20, 1000],
    [80, 9000],
  ] as const)
    delay.observe(tookMs, atMs);
  t.equal(delay.ms, 20);
  delay.observe(90, 10_500);
  t.equal(delay.ms, 20, 'still remembered');
  delay.observe(95, 21_000);
  t.equal(delay.ms, 90, 'forgotten: the way has become longer');
  delay.observe(70, 100_000);
  t.equal(delay.ms, 70);
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
