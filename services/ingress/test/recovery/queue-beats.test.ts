import { startRedis } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t from 'tap';
import { beatQueue, rememberedUntil } from '../../src/recovery/queue-beats.ts';

const beats = (each: Record<string, number>) => new Map(Object.entries(each));

t.test('a Redis remembers all that came before the last time of the run we knew', async (t) => {
  t.equal(rememberedUntil({ run: 'c', beats: beats({ a: 10, b: 20 }) }, 'b'), 20);
  t.equal(
    rememberedUntil({ run: 'c', beats: beats({ a: 10, b: 20, c: 90 }) }, 'a'),
    10,
    'another replica has seen more',
  );
  t.equal(
    rememberedUntil({ run: 'c', beats: beats({ a: 10, c: 90 }) }, 'b'),
    10,
    'b ended before its time was safe',
  );
  t.equal(rememberedUntil({ run: 'c', beats: beats({ c: 90 }) }, 'b'), undefined, 'it is empty');
  t.equal(rememberedUntil({ run: 'c', beats: beats({}) }, 'b'), undefined);
});

t.test('a run lasts over broken connections, and ends with the process', async (t) => {
  const redis = await startRedis(t, { aof: true });
  const client = new Redis(`${redis.url}/1`);
  client.on('error', () => undefined);
  t.teardown(() => client.disconnect());
  const beat = (known: string | undefined, nowMs: number) => beatQueue(client, 'beats', known, nowMs);
  const first = await beat(undefined, 1);
  t.match(first.run, /^\w{40}\.\w{40}$/);
  t.equal(first.beats.size, 0);
  t.equal((await beat(first.run, 2)).run, first.run);
  t.equal((await beat(first.run, 3)).run, first.run);
  t.same(await client.hgetall('beats'), { [first.run]: '3' });
  const other = new Redis(`${redis.url}/1`);
  await other.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  other.disconnect();
  t.equal((await beat(first.run, 4)).run, first.run);
  await redis.stop();
  await redis.start();
  const second = await beat(first.run, 5);
  t.not(second.run, first.run);
  t.same([...second.beats], [[first.run, 4]], 'where the run is another, nothing is written');
  t.equal(rememberedUntil(second, first.run), 4);
});

t.test('runs of long ago are forgotten once there are many', async (t) => {
  const redis = await startRedis(t);
  const client = new Redis(`${redis.url}/1`);
  t.teardown(() => client.disconnect());
  const nowMs = 10 * 3_600_000;
  const { run } = await beatQueue(client, 'beats', undefined, nowMs);
  const old = Array.from({ length: 70 }, (_, index) => [`old-${index}`, String(index)] as const);
  await client.hset('beats', { ...Object.fromEntries(old), recent: nowMs - 1000 });
  await beatQueue(client, 'beats', run, nowMs);
  t.same(Object.keys(await client.hgetall('beats')).toSorted(), [run, 'recent'].toSorted());
});
