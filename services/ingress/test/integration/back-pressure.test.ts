import { createSqliteDatabase, startRedis, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t from 'tap';
import { textWebhook } from '../fixtures/payloads.ts';
import { type Answer, environmentOf, jobsIn, startIngress, within } from '../ingress.ts';

t.test('Promise: nothing acknowledged is lost, and no one hangs', async (t) => {
  const redis = await startRedis(t, { aof: true });
  const ingress = await startIngress(t, environmentOf(redis, await createSqliteDatabase(t)));
  const acknowledged: string[] = [];
  const post = async (id: string) => {
    // 2 s by design; the test's machine may be busy with other tests.
    const answer = await within(ingress.webhook(textWebhook(id)), 5000);
    if (answer.status === 200) acknowledged.push(id);
    return answer;
  };
  const burst = (name: string) =>
    Promise.all(Array.from({ length: 20 }, (_, index) => post(`${name}-${index}`)));
  const areRefused = (answers: Answer[], code: string) =>
    answers.every(
      ({ status, headers, body }) =>
        status === 503 && Number(headers['retry-after']) >= 1 && body.error.code === code,
    );
  const recovers = (name: string) =>
    until(async () => (await post(name)).status === 200, { what: 'ingress takes events again' });

  await t.test(
    'a killed queue Redis: 503 with Retry-After at once, then it recovers by itself',
    async (t) => {
      t.equal((await post('before')).status, 200);
      await redis.kill();
      t.ok(areRefused(await burst('dead'), 'QUEUE_UNAVAILABLE'));
      await redis.start();
      await recovers('after-dead');
    },
  );

  await t.test('a frozen queue Redis: 503 within 2 s for everyone, then it recovers by itself', async (t) => {
    await redis.freeze();
    t.ok(areRefused(await burst('frozen'), 'QUEUE_UNAVAILABLE'));
    redis.thaw();
    await recovers('after-frozen');
  });

  await t.test(
    'a queue Redis near its memory limit: 503 before it is full, then it recovers by itself',
    async (t) => {
      const control = new Redis(redis.url);
      await control.config('SET', 'maxmemory', '1mb');
      await until(async () => (await post('filling')).status === 503, { what: 'the guard or Redis refuses' });
      t.ok(areRefused(await burst('full'), 'QUEUE_FULL'));
      await control.config('SET', 'maxmemory', '0');
      control.disconnect();
      await recovers('after-full');
    },
  );

  await t.test('everything that got 200 is in the queue, once', async (t) => {
    const queued = (await jobsIn(ingress, 'inbound', 'receive-message')).map((job) => String(job.message.id));
    t.equal(new Set(queued).size, queued.length, 'no repeat');
    t.same(
      acknowledged.filter((id) => !queued.includes(id)),
      [],
    );
  });
});
