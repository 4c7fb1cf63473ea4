import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import t from 'tap';
import { startRedis, type Teardown, until } from '../src/index.ts';

/** An owner whose cleanups the test runs itself. */
function owner(): Teardown & { end(): Promise<void> } {
  const cleanups: (() => unknown)[] = [];
  return {
    teardown: (fn) => void cleanups.unshift(fn),
    async end() {
      for (const cleanup of cleanups) await cleanup();
    },
  };
}

function connect(t: Teardown, url: string): Redis {
  const client = new Redis(url, { commandTimeout: 300, retryStrategy: () => 20 });
  client.on('error', () => undefined);
  t.teardown(() => client.disconnect());
  return client;
}

t.test('with an append-only file, data survive SIGKILL and a new start on the same port', async (t) => {
  const redis = await startRedis(t, { aof: true });
  const client = connect(t, redis.url);
  await client.set('key', 'kept');
  await redis.kill();
  t.equal(redis.pid, undefined);
  await redis.start();
  t.equal(await until(() => client.get('key'), { what: 'reconnected' }), 'kept');
});

t.test('what was acknowledged since the mark can be lost, as by a slow disk', async (t) => {
  const redis = await startRedis(t, { aof: true });
  const client = connect(t, redis.url);
  await client.set('before', 'kept');
  await redis.mark();
  await client.set('after', 'lost');
  await redis.forget();
  t.equal(await until(() => client.get('before'), { what: 'reconnected' }), 'kept');
  t.equal(await client.get('after'), null);
});

t.test('a frozen server answers nothing until it is thawed, and can be stopped while frozen', async (t) => {
  const redis = await startRedis(t);
  const client = connect(t, redis.url);
  t.equal(await client.ping(), 'PONG');
  await redis.freeze();
  await t.rejects(client.ping(), /timed out/i);
  redis.thaw();
  t.equal(await until(() => client.ping()), 'PONG');
  await redis.freeze();
  await redis.stop();
  t.equal(redis.pid, undefined);
});

t.test('the password and further arguments reach the server', async (t) => {
  const redis = await startRedis(t, { password: 'p@ss', args: ['--maxmemory-policy', 'allkeys-lru'] });
  t.match(await connect(t, redis.url).config('GET', 'maxmemory-policy'), ['maxmemory-policy', 'allkeys-lru']);
  await t.rejects(connect(t, `redis://:wrong@127.0.0.1:${redis.port}`).ping());
});

t.test('the end of the test ends the server, frozen or not, and removes its folder', async (t) => {
  const test = owner();
  const redis = await startRedis(test);
  const client = connect(t, redis.url);
  const [, directory] = (await client.config('GET', 'dir')) as [string, string];
  client.disconnect();
  const pid = redis.pid!;
  t.ok(existsSync(directory));
  await redis.freeze();
  await test.end();
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  t.notOk(existsSync(directory));
});

t.test('a server that refuses its arguments is an error that shows its words', async (t) => {
  await t.rejects(startRedis(t, { args: ['--no-such-setting', '1'] }), /no-such-setting/);
});
