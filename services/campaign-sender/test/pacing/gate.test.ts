import { setImmediate } from 'node:timers/promises';
import { startRedis } from '@switchyard/test-kit';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { type AdmissionRequest, createAdmission } from '../../src/pacing/create-admission.ts';
import { createGate } from '../../src/pacing/gate.ts';
import type { Lane } from '../../src/pacing/lanes.ts';
import { paceOfThroughput } from '../../src/pacing/pace.ts';

async function gateOf(t: Test, connections: number) {
  const redis = await startRedis(t);
  const client = new Redis(redis.url);
  t.teardown(() => client.disconnect());
  const admission = createAdmission(client, '');
  let asked = 0;
  const gate = createGate(
    {
      admit: (requests) => {
        asked += 1;
        return admission.admit(requests);
      },
    },
    connections,
  );
  t.teardown(() => gate.close());
  let person = 0;
  const request = (senderId: string, perSecond: number, lane: Lane): AdmissionRequest => {
    person += 1;
    return { senderId, recipient: `p${person}`, pace: paceOfThroughput(perSecond), lane };
  };
  return { gate, admission, request, asked: () => asked };
}

t.test('many numbers share a round trip', async (t) => {
  const { gate, request, asked } = await gateOf(t, 200);
  const passes = await Promise.all(
    Array.from({ length: 100 }, (_, index) => gate.enter(request(`s${index}`, 80, 'flow'))),
  );
  t.ok(passes.every(({ admitted }) => admitted));
  t.ok(asked() <= 3, `${asked()} round trips`);
});

t.test('a transactional message overtakes the campaign that waits for the same number', async (t) => {
  const { gate, request } = await gateOf(t, 200);
  const order: string[] = [];
  const enter = async (lane: Lane) => {
    const pass = await gate.enter(request('s', 20, lane));
    order.push(lane);
    if (pass.admitted) pass.release();
  };
  const campaign = Array.from({ length: 20 }, () => enter('campaign'));
  await campaign[0];
  await enter('transactional');
  t.ok(order.indexOf('transactional') <= 5, `${order.indexOf('transactional')} went first`);
  await Promise.all(campaign);
});

t.test('a number whose calls do not end leaves half of the connections to the others', async (t) => {
  const { gate, request } = await gateOf(t, 8);
  const enter = async (senderId: string) => {
    const pass = await gate.enter(request(senderId, 1_000_000, 'flow'));
    if (pass.admitted) pass.use();
    return pass;
  };
  const first = await Promise.all(Array.from({ length: 4 }, () => enter('hangs')));
  const waiting = Array.from({ length: 10 }, () => enter('hangs'));
  t.equal((await enter('other')).admitted, true);
  t.equal(gate.waiting, 10, 'the rest of the number waits here');
  for (const pass of first) if (pass.admitted) pass.release();
  for (const pass of waiting) void pass.then((end) => end.admitted && end.release());
  await Promise.all(waiting);
  t.equal(gate.waiting, 0);
});

t.test(
  'a number that has held slots for later leaves a quarter of the connections to the others',
  async (t) => {
    const { gate, request } = await gateOf(t, 8);
    const held = Array.from({ length: 10 }, () => gate.enter(request('holds', 1_000_000, 'flow')));
    const first = await Promise.all(held.slice(0, 8));
    t.equal(gate.waiting, 2, 'as many as there are connections, no more');
    const other = await gate.enter(request('other', 1_000_000, 'flow'));
    const used = first.map((pass) => pass.admitted && pass.use());
    t.strictSame(used, [true, true, true, true, true, true, false, false]);
    t.equal(other.admitted && other.use(), true);
    for (const pass of held) void pass.then((end) => end.admitted && end.release());
    await Promise.all(held);
    t.equal(gate.waiting, 0);
  },
);

t.test('what would wait for more than two seconds is sent back at once', async (t) => {
  const { gate, request, admission } = await gateOf(t, 200);
  const passes = await Promise.all(Array.from({ length: 60 }, () => gate.enter(request('slow', 10, 'flow'))));
  const refused = passes.filter(({ admitted }) => !admitted);
  t.ok(refused.length >= 30, 'about twenty are waited for');
  await admission.hold('held', 60_000);
  t.match(await gate.enter(request('held', 80, 'transactional')), { admitted: false });
});

t.test('whoever waits is served once or told why not, in whatever order all come and go', async (t) => {
  const redis = await startRedis(t);
  const client = new Redis(redis.url);
  t.teardown(() => client.disconnect());
  const admission = createAdmission(client, '');
  const step = fc.record({
    number: fc.nat({ max: 4 }),
    lane: fc.constantFrom('transactional', 'flow', 'campaign'),
    /** Turns of the event loop that its call takes. */
    turns: fc.nat({ max: 20 }),
    /** And before the next comes. */
    pause: fc.nat({ max: 8 }),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.nat({ max: 6 }), async (steps, failing) => {
      run += 1;
      let asked = 0;
      const gate = createGate(
        {
          admit: async (requests) => {
            asked += 1;
            if (failing > 0 && asked % (failing + 1) === 0) throw new Error('Redis is away');
            return await admission.admit(requests);
          },
        },
        6,
      );
      const ends: Promise<string>[] = [];
      let passesOut = 0;
      let most = 0;
      for (const [index, { number, lane, turns, pause }] of steps.entries()) {
        const pace = paceOfThroughput(100_000);
        const request = { senderId: `s${run}_${number}`, recipient: `p${run}_${index}`, pace, lane };
        const serve = async () => {
          const pass = await gate.enter(request);
          if (!pass.admitted) return 'refused';
          passesOut += 1;
          most = Math.max(most, passesOut);
          for (let turn = 0; turn < turns; turn += 1) await setImmediate();
          passesOut -= 1;
          pass.release();
          return 'served';
        };
        ends.push(serve().catch((error: Error) => error.message));
        for (let turn = 0; turn < pause; turn += 1) await setImmediate();
      }
      const told = await Promise.all(ends);
      gate.close();
      const lost = failing === 0 ? told.filter((end) => end !== 'served') : [];
      return lost.length === 0 && gate.waiting === 0 && told.every((end) => end !== 'refused') && most <= 12;
    }),
    { numRuns: 100 },
  );
});
