import { silentLogger, startRedis } from '@switchyard/test-kit';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import type { Store } from '../../src/database/scope.ts';
import { type AdmissionRequest, createAdmission } from '../../src/pacing/create-admission.ts';
import type { Lane } from '../../src/pacing/lanes.ts';
import { type Pace, paceOfRate, paceOfThroughput } from '../../src/pacing/pace.ts';
import { recoveredFunction, WHOLE_RECOVERY_MICROS } from '../../src/pacing/recovery.ts';
import type { Sender } from '../../src/senders/sender-directory.ts';
import { createReactions } from '../../src/sending/create-reactions.ts';

async function admissionOf(t: Test) {
  const redis = await startRedis(t);
  const client = new Redis(redis.url);
  t.teardown(() => client.disconnect());
  const admission = createAdmission(client, '');
  const admit = async (
    senderId: string,
    recipient: string,
    pace: Pace,
    more: Partial<AdmissionRequest> = {},
  ) => (await admission.admit([{ senderId, recipient, pace, lane: 'transactional', ...more }]))[0]!;
  return { admission, admit, client };
}

t.test('the default is 20 per minute, never more in any minute', async (t) => {
  const { admit } = await admissionOf(t);
  const pace = paceOfRate({ max: 20, durationMs: 60_000 });
  const answers = [];
  for (let index = 0; index < 30; index += 1) answers.push(await admit('s', `p${index}`, pace));
  t.equal(answers.filter(({ admitted }) => admitted).length, 5, 'a conversation starts without a pause');
  t.ok(
    answers.slice(5).every(({ admitted, waitMs }) => !admitted && waitMs <= 2000 && waitMs > 1000),
    'the next may ask 2 s before its slot',
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 100, max: 3_600_000 }),
      (max, durationMs) => {
        const { burst, intervalMicros } = paceOfRate({ max, durationMs });
        return burst + Math.floor((durationMs * 1000) / intervalMicros) <= Math.max(max, 2);
      },
    ),
  );
});

t.test('slots are given one after the other, and a long wait reserves nothing', async (t) => {
  const { admit } = await admissionOf(t);
  const pace = paceOfThroughput(10);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => admit('s', `p${index}`, pace)));
  const waits = answers.filter(({ admitted }) => admitted).map(({ waitMs }) => waitMs);
  t.ok(waits.length >= 6 && waits.length <= 8, 'no more than six slots are reserved');
  for (const [index, waitMs] of waits.entries())
    if (index > 0)
      t.ok(waitMs - waits[index - 1]! > 70, 'a slot is a tenth of a second after the one before');
  t.ok(answers.slice(waits.length).every(({ admitted }) => !admitted));
  t.match(await admit('other', 'p', pace), { admitted: true, waitMs: 0 }, 'another number does not wait');
});

t.test(
  'slots that nobody could ask for in time come a little closer together, unless they are long past',
  async (t) => {
    const { admission, client } = await admissionOf(t);
    const pace = paceOfThroughput(100);
    const stepMs = pace.intervalMicros / 1000;
    const ask = async (senderId: string, count: number, sinceMs: number, latestMs = sinceMs) => {
      const [tat, next] = [sinceMs, latestMs].map((ms) => (Date.now() - ms) * 1000);
      await client.hset(`send:number:${senderId}`, { tat, next, lost: 7_000_000 });
      const answers = await admission.admit(
        Array.from({ length: count }, (_, index) => ({
          ...{ senderId, recipient: `p${index}`, pace, lane: 'transactional' as const },
        })),
      );
      return answers.flatMap((answer) => (answer.admitted ? [answer] : []));
    };
    const late = await ask('late', 6, 100);
    t.equal(late.length, 6);
    t.equal(late[0]!.waitMs, 0);
    t.ok(late[0]!.slot.lostMs > 7090 && late[0]!.slot.lostMs < 7200, 'it keeps its place among the slots');
    for (const [index, { waitMs, slot }] of late.entries()) {
      t.ok(Math.abs(waitMs - index * stepMs * 0.989) < 0.1);
      const placeMs = slot.atMs - slot.lostMs - (late[0]!.slot.atMs - late[0]!.slot.lostMs);
      t.ok(Math.abs(placeMs - index * stepMs) < 0.1);
    }
    const idle = await ask('idle', 3, 10_000);
    t.ok(idle[0]!.slot.lostMs > 16_990, 'who was idle has nothing to make up for');
    t.ok(Math.abs(idle[2]!.waitMs - 2 * stepMs) < 0.1);
    const busy = await ask('busy', 3, 260, 10);
    const lostMs = busy[0]!.slot.lostMs - 7000;
    t.ok(lostMs > 255 && lostMs < 400, 'one that short stops have made late keeps its place, too …');
    t.equal(
      Math.round(Number(await client.hget('send:number:busy', 'lost')) / 1000),
      Math.round(7000 + lostMs - 200),
    );
    t.ok(Math.abs(busy[2]!.waitMs - 2 * stepMs * 0.989) < 0.1, '… and loses only what is too long past');
    await client.hset('send:number:received', {
      tat: (Date.now() - 260) * 1000,
      next: (Date.now() - 10) * 1000,
    });
    await admission.debit('received', 1, pace);
    const lost = Number(await client.hget('send:number:received', 'lost')) / 1000;
    t.ok(lost > 55 && lost < 200, 'as when it receives messages');
  },
);

t.test('one recipient has 45 at once on credit, which is paid back whole; others do not wait', async (t) => {
  const { admit, client } = await admissionOf(t);
  const pace = paceOfThroughput(1_000_000);
  for (let index = 0; index < 45; index += 1) t.ok((await admit('s', 'p', pace)).admitted, `${index}`);
  t.match(
    await admit('s', 'p', pace, { isAgain: true }),
    { admitted: true },
    'who missed a slot is not charged again',
  );
  const refused = await admit('s', 'p', pace);
  t.match(refused, { admitted: false, obstacle: 'recipient' });
  t.ok(refused.waitMs > 200_000, 'as long as 45 messages take one by one');
  t.match(await admit('s', 'q', pace), { admitted: true });

  const nowMicros = Date.now() * 1000;
  const backdate = (secondsAgo: number, count: number) =>
    client.hset('send:pair:s:r', { start: nowMicros - secondsAgo * 1_000_000, count });
  await backdate(60, 20);
  const owing = await admit('s', 'r', pace);
  t.match(owing, { admitted: false, obstacle: 'recipient' }, 'the credit is for the seconds after the first');
  t.ok(owing.waitMs > 30_000, '20 at once mean two minutes');
  await backdate(200, 20);
  t.match(await admit('s', 'r', pace), { admitted: true }, 'what is paid back is forgotten');
});

t.test(
  'the provider takes whatever is admitted to one recipient, whenever it comes; who waits as long as told is admitted',
  async (t) => {
    const { admit, client } = await admissionOf(t);
    const pace = paceOfThroughput(1_000_000);
    let people = 0;
    const step = fc.record({
      gapMs: fc.oneof(fc.nat(300), fc.nat(7000), fc.nat(40_000)),
      /** From the slot to the provider. */
      wayMs: fc.nat(100),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        people += 1;
        const person = `p${people}`;
        const provider = createProviderRule();
        // Time is made to pass by moving what Redis remembers into the past.
        let passedMs = 0;
        const pass = async (ms: number) => {
          passedMs += ms;
          await client.hincrby(`send:pair:s:${person}`, 'start', -Math.ceil(ms * 1000));
        };
        for (const { gapMs, wayMs } of steps) {
          await pass(gapMs);
          const beganAtMs = Date.now();
          let answer = await admit('s', person, pace);
          if (!answer.admitted) {
            await pass(answer.waitMs + 1);
            answer = await admit('s', person, pace);
          }
          // A machine that is so slow doesn't know the time of the slot well enough.
          if (Date.now() - beganAtMs > 50) return true;
          if (!answer.admitted || !provider(beganAtMs + passedMs + wayMs)) return false;
        }
        return true;
      }),
      { numRuns: 200 },
    );
  },
);

/** The limit per pair as the provider words it. @returns whether the message is taken. */
function createProviderRule(): (atMs: number) => boolean {
  let startMs = Number.NEGATIVE_INFINITY;
  let count = 0;
  return (atMs) => {
    if (atMs >= startMs + count * 6000) [startMs, count] = [atMs, 0];
    else if (count >= 45 || atMs >= startMs + 6000) return false;
    count += 1;
    return true;
  };
}

t.test('a throughput error halves the rate once, however many calls fail together', async (t) => {
  const { admission, admit, client } = await admissionOf(t);
  t.equal(await admission.slowDown('s'), 0.5);
  t.equal(await admission.slowDown('s'), 0.5);
  const answer = await admit('s', 'p', paceOfThroughput(10));
  t.ok(answer.waitMs > 500, 'it pauses');
  await client.hset('send:number:s', {
    factor: '0.5',
    cutAt: String(Date.now() * 1000 - 5_000_000),
    until: '0',
  });
  t.ok((await admission.slowDown('s')) > 0.3, 'half of what was lost had come back meanwhile');
});

t.test('a rate that was cut is nearly back in ten seconds, and then tried carefully', async (t) => {
  const { client } = await admissionOf(t);
  const at = async (seconds: number, share: number, peak: number) =>
    Number(
      await client.eval(
        `${recoveredFunction} return tostring(recovered(tonumber(ARGV[1]), 0, tonumber(ARGV[2]), tonumber(ARGV[3])))`,
        ...([0, share, peak, seconds * 1e6] as const),
      ),
    );
  t.equal(await at(0, 0.5, 1), 0.5);
  t.equal(await at(10, 0.5, 1), 0.95);
  t.ok((await at(20, 0.5, 1)) < 0.97);
  t.equal(await at(40, 0.5, 1), 1);
  t.ok((await at(10, 0.2, 0.4)) < 0.4, 'below where it failed');
  t.ok((await at(25, 0.2, 0.4)) < 0.42, 'for as long as the limit is likely to be there');
  for (const peak of [0.0625, 0.1, 0.5, 1]) {
    let last = 0;
    for (let seconds = 0; seconds <= WHOLE_RECOVERY_MICROS / 1e6; seconds += 1) {
      const share = await at(seconds, Math.max(0.0625, peak / 2), peak);
      if (share < last || share > 1) throw new Error(`${share} after ${seconds} s, ${last} before`);
      last = share;
    }
    t.equal(last, 1, 'in the end the whole rate is back');
  }
});

t.test('a recipient is delayed 1 s, 4 s, 16 s', async (t) => {
  const { admission, admit } = await admissionOf(t);
  t.strictSame(
    [
      await admission.delayRecipient('s', 'p'),
      await admission.delayRecipient('s', 'p'),
      await admission.delayRecipient('s', 'p'),
    ],
    [1000, 4000, 16_000],
  );
  t.match(await admit('s', 'p', paceOfThroughput(100)), { admitted: false });
});

t.test('nothing is left in Redis of a number that says nothing', async (t) => {
  const { admission, admit, client } = await admissionOf(t);
  await admit('s', 'p', paceOfThroughput(80));
  await admission.debit('s', 3, paceOfThroughput(80));
  for (const key of await client.keys('*')) t.ok((await client.pttl(key)) > 0, key);
});

t.test('a transactional message waits for four slots at most, whatever a campaign asks for', async (t) => {
  const { admission, admit } = await admissionOf(t);
  const pace = paceOfThroughput(10);
  const campaign = await admission.admit(
    Array.from({ length: 50 }, (_, index) => ({
      senderId: 's',
      recipient: `p${index}`,
      pace,
      lane: 'campaign' as const,
    })),
  );
  t.ok(campaign.filter(({ admitted }) => admitted).length <= 3);
  const answer = await admit('s', 'otp', pace);
  t.equal(answer.admitted, true);
  t.ok(answer.waitMs <= (4 * pace.intervalMicros) / 1000);
});

t.test('a lane whose share is due is served whatever the more urgent ones take', async (t) => {
  const { admission } = await admissionOf(t);
  const pace = paceOfThroughput(100);
  const request = (lane: Lane, isShareOnly: boolean) => ({
    senderId: 's',
    recipient: `${Math.random()}`,
    pace,
    lane,
    isShareOnly,
  });
  const [first, second, ...urgent] = await admission.admit([
    request('campaign', true),
    request('campaign', true),
    ...Array.from({ length: 20 }, () => request('transactional', false)),
  ]);
  t.equal(first!.admitted, true);
  t.match(second, { admitted: false, obstacle: 'rate' }, 'a tenth of the rate, not more');
  t.ok(urgent.filter(({ admitted }) => admitted).length >= 5);
});

t.test('a portfolio writes to as many people outside a window as its tier says', async (t) => {
  const { admit } = await admissionOf(t);
  const pace = paceOfThroughput(1000);
  const portfolio = { id: 'b', peoplePerDay: 3 };
  for (const person of ['p1', 'p2', 'p3', 'p1'])
    t.equal((await admit('s', person, pace, { portfolio })).admitted, true, `${person} is among three`);
  const refused = await admit('other number', 'p4', pace, { portfolio });
  t.match(refused, { admitted: false, obstacle: 'portfolio' });
  t.ok(refused.waitMs > 23 * 3_600_000, 'until the oldest is a day old');
  t.equal((await admit('s', 'p4', pace)).admitted, true, 'within a window nothing is counted');
});

t.test(
  'the budget of the app is taken before the numbers have theirs, and nothing is taken of a refused message',
  async (t) => {
    const redis = await startRedis(t);
    const client = new Redis(redis.url);
    t.teardown(() => client.disconnect());
    const admission = createAdmission(client, '', { callsPerSecond: 10 });
    const answers = await admission.admit(
      Array.from({ length: 30 }, (_, index) => ({
        senderId: `s${index}`,
        recipient: 'p',
        pace: paceOfThroughput(1000),
        lane: 'transactional' as const,
      })),
    );
    const refused = answers.filter(({ admitted }) => !admitted);
    t.ok(refused.length >= 26, 'a tenth of a second at once, and the reach of the lane');
    t.ok(refused.every((answer) => 'obstacle' in answer && answer.obstacle === 'app'));
    t.equal(await client.exists('send:number:s29'), 0);
    await admission.holdApp(5000);
    const [held] = await admission.admit([
      { senderId: 'other', recipient: 'p', pace: paceOfThroughput(1000), lane: 'transactional' },
    ]);
    t.match(held, { admitted: false, obstacle: 'app' });
    t.ok(held!.waitMs > 4000);
  },
);

t.test('enough trouble opens the circuit of a number, one probe decides, others go on', async (t) => {
  const { admission, admit, client } = await admissionOf(t);
  const pace = paceOfThroughput(1000);
  for (let call = 0; call < 30; call += 1) await admit('s', `p${call}`, pace);
  let opened = 0;
  for (let call = 0; call < 25; call += 1) if (await admission.reportTrouble('s', false)) opened += 1;
  t.equal(opened, 1);
  t.match(await admit('s', 'p', pace), { admitted: false, obstacle: 'circuit' });
  t.match(await admit('other', 'p', pace), { admitted: true });
  await client.hset('send:number:s', 'openUntil', '0');
  t.match(await admit('s', 'p', pace), { admitted: true, isProbe: true });
  t.match(await admit('s', 'q', pace), { admitted: false, obstacle: 'circuit' }, 'one probe at a time');
  await admission.giveBackProbe('s');
  t.match(
    await admit('s', 'q', pace),
    { admitted: true, isProbe: true },
    'one that was not called for is free',
  );
  t.equal(await admission.reportTrouble('s', true), true, 'a probe that fails opens it again');
  await client.hset('send:number:s', 'openUntil', '0');
  t.match(await admit('s', 'r', pace), { admitted: true, isProbe: true });
  await admission.clear('s');
  t.match(await admit('s', 's', pace), { admitted: true, isProbe: false });
});

t.test(
  'the probe of an open circuit that was not called for blocks nobody, and proves nothing',
  async (t) => {
    const { admission, admit, client } = await admissionOf(t);
    const pace = paceOfThroughput(1000);
    const sender = { id: 's', merchantId: 'm', wabaId: null } as Sender;
    const reactions = createReactions({
      store: {} as Store,
      senders: { forget: () => undefined },
      templates: { forget: () => undefined },
      admission,
      logger: silentLogger(),
    });
    const probe = async () => await admit('s', 'p', pace);
    for (let call = 0; call < 25; call += 1) await admission.reportTrouble('s', false);
    await client.hset('send:number:s', 'openUntil', '0');
    t.match(await probe(), { isProbe: true });
    await reactions.toCall(sender, { kind: 'not-sent', cause: 'expired', isOurs: true, tookMs: 0 }, true);
    t.match(await probe(), { admitted: true, isProbe: true }, 'the next message is the probe');
    await reactions.toCall(sender, { kind: 'not-sent', cause: 'refused', tookMs: 0 }, true);
    t.match(await probe(), { admitted: false, obstacle: 'circuit' }, 'a provider that is away is trouble');
    await client.hset('send:number:s', 'openUntil', '0');
    t.match(await probe(), { isProbe: true });
    await reactions.toCall(sender, { kind: 'accepted', providerMessageId: 'w', tookMs: 0 }, true);
    t.match(await probe(), { admitted: true, isProbe: false }, 'an answer closes it');
  },
);

t.test("calls besides sending count against the app's calls", async (t) => {
  const { client } = await admissionOf(t);
  const admission = createAdmission(client, '', { callsPerSecond: 1 });
  const admit = async () =>
    (
      await admission.admit([
        { senderId: 's', recipient: 'p', pace: paceOfThroughput(1000), lane: 'transactional' },
      ])
    )[0]!;
  for (let call = 0; call < 5; call += 1) await admission.countCall();
  const refused = await admit();
  t.match(refused, { admitted: false, obstacle: 'app' });
  t.ok(refused.waitMs > 2000);
});
