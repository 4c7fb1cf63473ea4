import { silentLogger, startRedis, until } from '@switchyard/test-kit';
import t from 'tap';
import { createProducer } from '../src/index.ts';
import { connect, notification, requestProfile, testQueues } from './helper.ts';

t.test('a worker goes on by itself after its Redis was killed or hung', async (t) => {
  const redis = await startRedis(t, { aof: true });
  const { producer, work } = await testQueues(t, redis);
  const done = new Set<string>();
  const worker = await work({
    queue: 'notifications',
    processors: { 'send-notification': async (_payload, { job }) => done.add(job.id) },
  });
  await producer.add(notification('before'));
  await until(() => done.has('before'));

  await redis.kill();
  await redis.start();
  await producer.add(notification('after-kill'));
  await until(() => done.has('after-kill'), { timeoutMs: 15_000 });

  const impatient = connect(t, redis.url, requestProfile);
  await until(() => impatient.status === 'ready');
  await redis.freeze();
  const added = producer.add(notification('after-freeze'));
  await t.rejects(impatient.ping(), /timed out/, 'hung for a second');
  redis.thaw();
  await added;
  await until(() => done.has('after-freeze'), { timeoutMs: 15_000 });
  t.ok(worker.isProgressing(), "an outage is not the worker's fault");
});

t.test(
  'a producer of the request profile fails at once when Redis is down, hung, or never was there',
  async (t) => {
    const redis = await startRedis(t);
    const connection = connect(t, redis.url, requestProfile);
    const producer = createProducer({ connection, prefix: 'bull', logger: silentLogger() });
    const away = { code: 'QUEUE_AWAY', statusCode: 503, outcome: 'later' };
    const timed = async (limitMs: number, what: string, work: Promise<unknown>) => {
      const beganMs = performance.now();
      await t.rejects(work, away, what);
      const tookMs = performance.now() - beganMs;
      t.ok(tookMs < limitMs, `${what}: took ${Math.round(tookMs)} ms`);
    };

    await timed(900, 'before the first connection', producer.add(notification('n0')));
    await until(() => connection.status === 'ready');
    await producer.add(notification('n1'));

    await redis.freeze();
    await timed(5000, 'hung', producer.add(notification('n2')));
    await timed(10_000, 'hung, many', producer.addMany([notification('n3'), notification('n4')]));
    redis.thaw();
    await until(() => producer.add(notification('n5')));

    await redis.kill();
    await until(() => connection.status !== 'ready');
    await timed(900, 'down', producer.add(notification('n6')));
    await redis.start();
    await until(() => producer.add(notification('n7')));
  },
);
