import { recordingLogger, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { reconnectDelayMs } from '../src/connect-redis.ts';
import { connect, ready, timed } from './helper.ts';

t.test('the pause before a reconnection is min(n × 50 ms, 3 s), without end', async (t) => {
  t.same([1, 2, 10, 60, 61, 100_000].map(reconnectDelayMs), [50, 100, 500, 3000, 3000, 3000]);
});

t.test('request profile: a dead Redis is an error at once, and Redis coming back is noticed', async (t) => {
  const redis = await startRedis(t, { aof: true });
  const { logger, lines } = recordingLogger();
  const client = connect(t, redis, 'dedup', { logger });
  await ready(client);
  await client.set('key', 'value');
  const closed = new Promise((resolve) => client.once('close', resolve));
  await redis.kill();
  await closed;
  for (let attempt = 0; attempt < 200; attempt++) {
    const { error, tookMs } = await timed(() => client.get('key'));
    t.ok(error);
    t.ok(tookMs < 5000);
  }
  await redis.start();
  await ready(client);
  t.equal(await client.get('key'), 'value');
  t.equal(lines.filter((line) => line.msg === '✅ Redis: Connected and ready').length, 2);
  const warnings = lines.filter((line) => line.msg.startsWith('⚠️  Redis unavailable'));
  t.equal(warnings.length, 1, 'an outage is one line, not one per try');
  t.match(warnings[0], { role: 'dedup', fallback: /unique keys/, msg: /role: dedup, fallback: / });
});

t.test('request profile: commands under way when Redis dies fail within a second', async (t) => {
  const redis = await startRedis(t);
  const client = connect(t, redis);
  await ready(client);
  await redis.freeze();
  const pending = timed(() => client.get('key'));
  await redis.kill();
  const { error, tookMs } = await pending;
  t.ok(error);
  t.ok(tookMs < 5000, `${tookMs} ms`);
});

t.test('request profile: a hung Redis is an error after about a second, or as configured', async (t) => {
  const redis = await startRedis(t);
  const client = connect(t, redis);
  const quick = connect(t, redis, 'cache', { commandTimeoutMs: 100 });
  await ready(client, quick);
  await redis.freeze();
  const [slow, fast] = await Promise.all([timed(() => client.get('key')), timed(() => quick.get('key'))]);
  t.match(slow.error, { message: 'Command timed out' });
  t.ok(slow.tookMs > 800 && slow.tookMs < 5000, `${slow.tookMs} ms`);
  t.ok(fast.error);
  t.ok(fast.tookMs < slow.tookMs, `${fast.tookMs} ms`);
  redis.thaw();
  t.equal(await client.get('key'), null, 'and works again once it answers');
});

t.test(
  'worker profile: commands wait through a death and through a hang, and are then answered',
  async (t) => {
    const redis = await startRedis(t, { aof: true });
    const client = connect(t, redis, 'queue', { profile: 'worker' });
    await ready(client);
    await client.set('key', 'value');
    await redis.freeze();
    const hung = client.get('key');
    const { tookMs } = await timed(() =>
      Promise.race([hung, new Promise((resolve) => setTimeout(resolve, 1500))]),
    );
    t.ok(tookMs >= 1400, 'no time-out of its own');
    redis.thaw();
    t.equal(await hung, 'value');
    const closed = new Promise((resolve) => client.once('close', resolve));
    await redis.kill();
    await closed;
    const dead = client.get('key');
    await redis.start();
    t.equal(await dead, 'value');
  },
);

t.test('worker profile: a blocking read under way continues after Redis was restarted', async (t) => {
  const redis = await startRedis(t);
  const worker = connect(t, redis, 'queue', { profile: 'worker' });
  await ready(worker);
  const read = worker.blpop('list', 0);
  const closed = new Promise((resolve) => worker.once('close', resolve));
  await redis.kill();
  await closed;
  await redis.start();
  const producer = connect(t, redis, 'queue');
  await ready(producer);
  await producer.rpush('list', 'job');
  t.same(await read, ['list', 'job']);
});

t.test('closing on purpose is not reported as an outage', async (t) => {
  const redis = await startRedis(t);
  const { logger, lines } = recordingLogger();
  const client = connect(t, redis, 'cache', { logger });
  await ready(client);
  const ended = new Promise((resolve) => client.once('end', resolve));
  await client.quit();
  await ended;
  t.equal(lines.filter((line) => line.level >= 40).length, 0);
});
