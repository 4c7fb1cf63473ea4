import fc from 'fast-check';
import t from 'tap';
import { createForeignClock } from '../../src/pacing/foreign-clock.ts';
import { paceOfRate, paceOfThroughput } from '../../src/pacing/pace.ts';
import { createSlotClock, LONGEST_LAG_MS, type Slot, TOLERANCE_MS } from '../../src/pacing/slot-clock.ts';
import { createUsualDelay } from '../../src/pacing/usual-delay.ts';

interface Stop {
  fromMs: number;
  forMs: number;
}

interface Call {
  slot: Slot;
  leftMs: number;
  waitedMs: number;
  arrivedMs: number;
}

const WAY_MS = 1;

/** What is due in a stop happens at its end. */
const endOf = (stops: readonly Stop[], ms: number) =>
  stops.reduce((at, { fromMs, forMs }) => (at >= fromMs && at < fromMs + forMs ? fromMs + forMs : at), ms);

/**
 * The calls of a number all of whose slots are wanted, while its process and the provider stop from time to time. Slots that are far too
 * late are given up. All in ms.
 */
function callsOf(
  perSecond: number,
  seconds: number,
  ours: readonly Stop[],
  theirs: readonly Stop[],
  wayMsAt: (atMs: number) => number = () => WAY_MS,
  waitedMsOf: (index: number) => number = () => 0,
): Call[] {
  const clock = createSlotClock();
  const owner = { senderId: 's', pace: paceOfThroughput(perSecond) };
  const stepMs = owner.pace.intervalMicros / 1000;
  const calls: Call[] = [];
  /** Slots that wait and calls whose answers are on their way. */
  const open: { atMs: number; slot: Slot; call?: Call }[] = [];
  const total = Math.floor((seconds * 1000) / stepMs);
  let nowMs = 0;
  for (let next = 0; next < total || open.length > 0; ) {
    const first = open.reduce<(typeof open)[number] | undefined>(
      (least, each) => (least && least.atMs <= each.atMs ? least : each),
      undefined,
    );
    const isNext = next < total && (!first || next * stepMs <= first.atMs);
    const event = isNext ? { atMs: next * stepMs, slot: { atMs: next * stepMs, lostMs: 0 } } : first!;
    if (isNext) next += 1;
    else open.splice(open.indexOf(event), 1);
    nowMs = endOf(ours, Math.max(nowMs, event.atMs));
    const { slot, call } = event as (typeof open)[number];
    if (call) {
      clock.answered(owner, slot, { tookMs: nowMs - call.leftMs, waitedMs: call.waitedMs });
      continue;
    }
    const leftMs = clock.timeLeft(owner, slot, nowMs);
    if (leftMs > 0) open.push({ atMs: nowMs + leftMs, slot });
    else if (nowMs - slot.atMs <= LONGEST_LAG_MS) {
      const waitedMs = waitedMsOf(calls.length);
      const arrivedMs = endOf(theirs, nowMs + waitedMs + wayMsAt(nowMs));
      const made = { slot, leftMs: nowMs, waitedMs, arrivedMs };
      calls.push(made);
      open.push({ atMs: arrivedMs + WAY_MS, slot, call: made });
    }
  }
  return calls;
}

function busiestSecond(times: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [index, time] of times.toSorted((a, b) => a - b).entries()) {
    while (time - times[first]! >= 1000) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

const stopsOf = (gapMs: number, mostMs: number) =>
  fc
    .array(
      fc.record({
        gapMs: fc.integer({ min: gapMs / 4, max: gapMs * 2 }),
        forMs: fc.integer({ min: 1, max: mostMs }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((list) => {
      let at = 0;
      return list.map(({ gapMs, forMs }): Stop => {
        const fromMs = at + gapMs;
        at = fromMs + forMs;
        return { fromMs, forMs };
      });
    });

t.test(
  'however a process is kept busy, no slot is lost, and no second holds more than the provider allows',
  async (t) => {
    fc.assert(
      fc.property(stopsOf(400, 60), (busy) => {
        const calls = callsOf(200, 4, busy, []);
        if (calls.length !== Math.floor(4e6 / paceOfThroughput(200).intervalMicros))
          throw new Error('a slot was lost');
        const most = busiestSecond(calls.map(({ leftMs }) => leftMs));
        if (most > 201) throw new Error(`${most} of 200 in a second`);
      }),
      { numRuns: 100 },
    );
    t.pass('100 processes');
  },
);

t.test('nor when the provider stops from time to time, too, as its answers tell', async (t) => {
  fc.assert(
    fc.property(stopsOf(600, 40), stopsOf(1200, 40), (ours, theirs) => {
      const calls = callsOf(400, 3, ours, theirs);
      if (calls.length !== Math.floor(3e6 / paceOfThroughput(400).intervalMicros))
        throw new Error('a slot was lost');
      const most = busiestSecond(calls.map(({ arrivedMs }) => arrivedMs));
      if (most > 402) throw new Error(`${most} of 400 in a second`);
    }),
    { numRuns: 50 },
  );
  t.pass('50 providers');
});

t.test('late slots are used a fifth closer together, until they are on time again', async (t) => {
  const clock = createSlotClock();
  const left = (senderId: string, atMs: number, nowMs: number, lostMs = 0) =>
    Math.round(clock.timeLeft({ senderId, pace: paceOfThroughput(1) }, { atMs, lostMs }, nowMs));
  t.equal(left('s', 10_000, 10_040 + TOLERANCE_MS), 0, 'used 40 ms too late');
  t.equal(left('s', 10_020, 10_040 + TOLERANCE_MS), 16 - TOLERANCE_MS, 'the next is 36 ms late');
  t.equal(left('s', 10_020, 10_055 + TOLERANCE_MS), 0, 'a timer that fires a little late …');
  t.equal(left('s', 10_100, 10_110), 10, '… delays nobody else');
  t.equal(left('other', 10_050, 10_050), 0, 'another number is on time');
  t.equal(left('s', 10_100, 10_100, 15), 5, 'time that nobody has reserved makes up for it');
  t.equal(left('s', 10_200, 10_200), 0, 'after a fifth of a second nothing is left');
  t.equal(left('s', 10_300, 10_301 + LONGEST_LAG_MS), 0, 'far too late');
  t.equal(left('s', 10_310, 10_310), 0, '… which nothing else waits for');
});

t.test('a message waits until the one that lies a second’s messages before it is a second old', async (t) => {
  const owner = { senderId: 's', pace: paceOfThroughput(1000) };
  const spareMs = (owner.pace.intervalMicros - 1000) / 2;
  const periodMs = 1000 + spareMs;
  const waitAfter = (lateMs: number, lostMs = 0) => {
    const clock = createSlotClock();
    clock.timeLeft(owner, { atMs: 5000, lostMs: 0 }, 5000 + lateMs);
    const follower = { atMs: 5000 + periodMs, lostMs };
    return clock.timeLeft(owner, follower, follower.atMs);
  };
  t.equal(waitAfter(0), 0);
  t.equal(waitAfter(spareMs), 0, 'half of what the pace leaves unused may go by');
  const restMs = spareMs % (owner.pace.intervalMicros / 1000);
  t.equal(waitAfter(60).toFixed(6), (60 - spareMs + restMs).toFixed(6));
  t.equal(waitAfter(60, 100), 0, 'time that nobody has reserved: fewer have left since');
});

t.test('of a pace that lets several go at once nothing is held', async (t) => {
  const clock = createSlotClock();
  const owner = { senderId: 's', pace: paceOfRate({ max: 20, durationMs: 60_000 }) };
  const placesMs = Array.from({ length: owner.pace.burst }, (_, index) => index * 3000);
  for (const placeMs of placesMs)
    t.equal(clock.timeLeft(owner, { atMs: 5000, lostMs: 5000 - placeMs }, 5000), 0);
});

t.test(
  'what was held up on its way to the provider counts from when it arrived, a single slow answer does not',
  async (t) => {
    const waitAfter = (perSecond: number, delayOf: (index: number) => number) => {
      const clock = createSlotClock();
      const owner = { senderId: 's', pace: paceOfThroughput(perSecond) };
      const stepMs = owner.pace.intervalMicros / 1000;
      const slots = Array.from({ length: 1400 }, (_, index): Slot => ({ atMs: index * stepMs, lostMs: 0 }));
      const atSecond = slots.findIndex(({ atMs }) => atMs >= 300);
      for (const [index, slot] of slots.slice(0, perSecond).entries()) {
        clock.timeLeft(owner, slot, slot.atMs);
        clock.answered(owner, slot, { tookMs: 5 + delayOf(index - atSecond) });
      }
      const periodMs = (1000 + perSecond * stepMs) / 2;
      const follower = slots.find(({ atMs }) => atMs >= slots[atSecond]!.atMs + periodMs)!;
      return clock.timeLeft(owner, follower, follower.atMs);
    };
    t.equal(
      waitAfter(1000, () => 0),
      0,
      'all in time',
    );
    t.equal(
      waitAfter(1000, (after) => (after === 0 ? 300 : 0)),
      0,
      'one that took long',
    );
    const heap = (after: number) => (after >= -20 && after < 20 ? 20 - after : 0);
    const waitMs = waitAfter(1000, heap);
    t.ok(waitMs > 4 && waitMs < 20, `forty that came together: ${waitMs} ms`);
    t.equal(
      waitAfter(80, (after) => heap(after) && 20),
      0,
      'of a slow number there are never so many',
    );
  },
);

t.test(
  'where the way to the provider gets shorter by up to 45 ms, no second at the provider holds more than it allows',
  async (t) => {
    fc.assert(
      fc.property(
        fc.double({ min: 2, max: 45, noNaN: true }),
        fc.double({ min: 1200, max: 3000, noNaN: true }),
        fc.boolean(),
        (longMs, changesAtMs, isLongAgain) => {
          const isLong = (atMs: number) => atMs < changesAtMs || (isLongAgain && atMs > changesAtMs + 400);
          const calls = callsOf(1000, 5, [], [], (atMs) => (isLong(atMs) ? longMs : WAY_MS));
          return busiestSecond(calls.map(({ arrivedMs }) => arrivedMs)) <= 1000;
        },
      ),
      { numRuns: 30 },
    );
    t.pass('30 ways');
  },
);

t.test(
  'where the first calls wait for their connections, no second at the provider holds more than it allows',
  async (t) => {
    fc.assert(
      fc.property(
        fc.constantFrom(50, 80, 250, 1000),
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 400, noNaN: true }),
        fc.double({ min: WAY_MS, max: 10, noNaN: true }),
        (perSecond, first, connectMs, firstWayMs) => {
          const calls = callsOf(
            perSecond,
            4,
            [],
            [],
            // What a connection brings first may take a little longer.
            (atMs) => (atMs < 50 ? firstWayMs : WAY_MS),
            (index) => (index < first ? connectMs : 0),
          );
          return busiestSecond(calls.map(({ arrivedMs }) => arrivedMs)) <= perSecond;
        },
      ),
      { numRuns: 200 },
    );
    t.pass('200 starts');
  },
);

t.test(
  'where a slow number’s first call is answered late, no second at the provider holds more than it allows',
  async (t) => {
    fc.assert(
      fc.property(
        fc.constantFrom(50, 80, 200),
        fc.double({ min: WAY_MS, max: 400, noNaN: true }),
        (perSecond, firstWayMs) => {
          const calls = callsOf(perSecond, 4, [], [], (atMs) => (atMs < 1 ? firstWayMs : WAY_MS));
          return busiestSecond(calls.map(({ arrivedMs }) => arrivedMs)) <= perSecond;
        },
      ),
      { numRuns: 100 },
    );
    t.pass('100 starts');
  },
);

t.test('the usual time of a call is the median of the latest', async (t) => {
  const delay = createUsualDelay();
  t.equal(delay.ms, 0);
  for (let index = 0; index < 512; index += 1) delay.observe(index % 2 === 0 ? 20 : 30);
  t.ok(delay.ms === 20 || delay.ms === 30);
  for (let index = 0; index < 200; index += 1) delay.observe(500);
  t.equal(delay.ms, 30, 'a stop does not show');
  for (let index = 0; index < 400; index += 1) delay.observe(80);
  t.equal(delay.ms, 80, 'a way that has become longer does');
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
