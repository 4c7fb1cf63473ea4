import { startRedis } from '@switchyard/test-kit';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { createAdmission } from '../../src/pacing/create-admission.ts';
import { paceOfRate, paceOfThroughput } from '../../src/pacing/pace.ts';

async function admissionOf(t: Test) {
  const redis = await startRedis(t);
  const client = new Redis(redis.url);
  t.teardown(() => client.disconnect());
  return { admission: createAdmission(client, ''), client };
}

t.test('the default is 20 per minute, never more in any minute', async (t) => {
  const { admission } = await admissionOf(t);
  const pace = paceOfRate({ max: 20, durationMs: 60_000 });
  const answers = [];
  for (let index = 0; index < 30; index += 1) answers.push(await admission.admit('s', `p${index}`, pace));
  t.equal(answers.filter(({ admitted }) => admitted).length, 5, 'a conversation starts without a pause');
  t.ok(answers.slice(5).every(({ admitted, waitMs }) => !admitted && waitMs <= 4000 && waitMs > 2000));
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
  const { admission } = await admissionOf(t);
  const pace = paceOfThroughput(10);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => admission.admit('s', `p${index}`, pace)),
  );
  const waits = answers.filter(({ admitted }) => admitted).map(({ waitMs }) => waitMs);
  t.ok(waits.length <= 21, 'no more than 2 s of the rate are reserved');
  for (const [index, waitMs] of waits.entries())
    if (index > 0)
      t.ok(waitMs - waits[index - 1]! > 70, 'a slot is a tenth of a second after the one before');
  t.ok(answers.slice(waits.length).every(({ admitted, waitMs }) => !admitted && waitMs > 2000));
  t.match(
    await admission.admit('other', 'p', pace),
    { admitted: true, waitMs: 0 },
    'another number does not wait',
  );
});

t.test('one recipient has 45 at once, then one per 6 s; others do not wait', async (t) => {
  const { admission } = await admissionOf(t);
  const pace = paceOfThroughput(1_000_000);
  for (let index = 0; index < 45; index += 1)
    t.ok((await admission.admit('s', 'p', pace)).admitted, `${index}`);
  t.match(
    await admission.admit('s', 'p', pace, true),
    { admitted: true },
    'who missed a slot is not charged again',
  );
  t.match(await admission.admit('s', 'p', pace), { admitted: false });
  t.match(await admission.admit('s', 'q', pace), { admitted: true });
});

t.test('a throughput error halves the rate once, however many calls fail together', async (t) => {
  const { admission, client } = await admissionOf(t);
  t.equal(await admission.slowDown('s'), 0.5);
  t.equal(await admission.slowDown('s'), 0.5);
  const answer = await admission.admit('s', 'p', paceOfThroughput(10));
  t.ok(answer.waitMs > 500, 'it pauses');
  await client.hset('send:number:s', {
    factor: '0.5',
    cutAt: String(Date.now() * 1000 - 10_000_000),
    until: '0',
  });
  t.ok((await admission.slowDown('s')) > 0.3, 'it had recovered by a sixth meanwhile');
});

t.test('a recipient is delayed 1 s, 4 s, 16 s', async (t) => {
  const { admission } = await admissionOf(t);
  t.strictSame(
    [
      await admission.delayRecipient('s', 'p'),
      await admission.delayRecipient('s', 'p'),
      await admission.delayRecipient('s', 'p'),
    ],
    [1000, 4000, 16_000],
  );
  t.match(await admission.admit('s', 'p', paceOfThroughput(100)), { admitted: false });
});

t.test('nothing is left in Redis of a number that says nothing', async (t) => {
  const { admission, client } = await admissionOf(t);
  await admission.admit('s', 'p', paceOfThroughput(80));
  await admission.debit('s', 3, paceOfThroughput(80));
  for (const key of await client.keys('*')) t.ok((await client.pttl(key)) > 0, key);
});
