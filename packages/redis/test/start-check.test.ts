import { createServer } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { ConfigError } from '@switchyard/config';
import { freePort, recordingLogger, silentLogger, startRedis } from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { checkRedisAtStart, checkRedisHealth, connectRedis, type RedisRole } from '../src/index.ts';
import { settingsOf, timed } from './helper.ts';

interface StartOptions {
  production?: boolean;
  required?: boolean;
  role?: RedisRole;
  profile?: 'request' | 'worker';
}

/** Starts like a service would; resolves to the error's message, if any. */
async function start(t: Test, env: Record<string, string>, options: StartOptions = {}) {
  const { logger, lines } = recordingLogger();
  const role = settingsOf(env)[options.role ?? 'queue'];
  const client = connectRedis(role, { profile: options.profile ?? 'worker', logger });
  t.teardown(() => client.disconnect());
  const { tookMs, error } = await timed(() =>
    checkRedisAtStart(client, role, {
      production: options.production ?? true,
      logger,
      ...(options.required === undefined ? {} : { required: options.required }),
    }),
  );
  if (error !== undefined && !(error instanceof ConfigError)) throw error;
  t.ok(tookMs < 8000, `told within 5 s (${Math.round(tookMs)} ms)`);
  return { error, message: error?.message ?? '', lines, client, tookMs };
}

async function listen(t: Test, server: Server): Promise<number> {
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return port;
}

t.test('a right configuration starts, in all roles and profiles, and says so in the log', async (t) => {
  const redis = await startRedis(t);
  for (const role of ['cache', 'queue', 'dedup'] as const) {
    for (const profile of ['request', 'worker'] as const) {
      const { message, lines, client } = await start(t, { REDIS_URL: redis.url }, { role, profile });
      t.equal(message, '');
      t.match(
        lines.find((line) => line.msg === '✅ Redis: Connected and ready'),
        { role, level: 30 },
      );
      t.equal(await checkRedisHealth(client), true);
    }
  }
});

t.test('a dead Redis stops the start within 5 s and names the variable', async (t) => {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const [request, worker, role, host, unknown] = await Promise.all([
    start(t, { REDIS_URL: url }, { profile: 'request' }),
    start(t, { REDIS_URL: url }, { profile: 'worker' }),
    start(t, { REDIS_QUEUE_URL: url }),
    start(t, { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(port) }),
    start(t, { REDIS_HOST: 'no-such-host.invalid' }),
  ]);
  for (const { message, lines } of [request, worker]) {
    t.match(message, /^REDIS_URL names a Redis that can't be reached at 127.0.0.1:\d+ .*ECONNREFUSED/);
    t.notMatch(message, /\n/);
    t.equal(lines.filter((line) => line.level >= 40).length, 1, 'ten tries make one log line');
  }
  t.match(role.message, /^REDIS_QUEUE_URL /);
  t.match(host.message, /^REDIS_HOST /);
  t.match(unknown.message, /^REDIS_HOST .*(ENOTFOUND|EAI_AGAIN)/);
});

t.test('a hung Redis stops the start within 5 s and names the variable', async (t) => {
  const redis = await startRedis(t);
  await redis.freeze();
  const starts = await Promise.all([
    start(t, { REDIS_URL: redis.url }, { profile: 'request' }),
    start(t, { REDIS_URL: redis.url }, { profile: 'worker' }),
  ]);
  for (const { message } of starts) t.match(message, /^REDIS_URL names a Redis that can't be reached/);
});

t.test('a Redis that hangs after the connection stops the start within 5 s', async (t) => {
  const redis = await startRedis(t);
  const role = settingsOf({ REDIS_URL: redis.url }).queue;
  const client = connectRedis(role, { profile: 'worker', logger: silentLogger() });
  await new Promise<void>((resolve) => client.once('ready', () => resolve()));
  await redis.freeze();
  const { tookMs, error } = await timed(() =>
    checkRedisAtStart(client, role, { production: true, logger: silentLogger(), timeoutMs: 1000 }),
  );
  t.match(error, { name: 'ConfigError', variable: 'REDIS_URL' });
  t.ok(tookMs < 5000);
});

t.test('a wrong or missing password stops the start at once and names its variable', async (t) => {
  const redis = await startRedis(t, { password: 'right' });
  const { port } = redis;
  const cases: [Record<string, string>, RegExp][] = [
    [{ REDIS_URL: `redis://:wrong@127.0.0.1:${port}` }, /^REDIS_URL is refused by Redis: wrong user name/],
    [{ REDIS_URL: `redis://nobody:right@127.0.0.1:${port}` }, /^REDIS_URL is refused by Redis/],
    [{ REDIS_URL: `redis://127.0.0.1:${port}` }, /^REDIS_URL must give the password/],
    [
      { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(port), REDIS_PASSWORD: 'wrong' },
      /^REDIS_PASSWORD is refused by Redis/,
    ],
    [{ REDIS_HOST: '127.0.0.1', REDIS_PORT: String(port) }, /^REDIS_PASSWORD must give the password/],
  ];
  for (const [env, expected] of cases) {
    const { message, tookMs } = await start(t, env);
    t.match(message, expected);
    t.notMatch(message, /:wrong|:right/, 'without the password');
    t.ok(tookMs < 5000);
    const { message: optional } = await start(t, env, { role: 'cache', required: false });
    t.match(optional, expected, 'also where the role is not required');
  }
  const { message } = await start(t, { REDIS_URL: redis.url });
  t.equal(message, '');
});

t.test('a database that does not exist stops the start and names its variable', async (t) => {
  const { port, url } = await startRedis(t, { args: ['--databases', '2'] });
  t.match(
    (await start(t, { REDIS_URL: url }, { role: 'dedup' })).message,
    /^REDIS_WEBHOOK_DB names a database/,
  );
  t.match((await start(t, { REDIS_URL: url, REDIS_QUEUE_DB: '9' })).message, /^REDIS_QUEUE_DB names/);
  t.match(
    (await start(t, { REDIS_QUEUE_URL: `redis://127.0.0.1:${port}/7` })).message,
    /^REDIS_QUEUE_URL names a database/,
  );
  t.equal((await start(t, { REDIS_URL: url })).message, '');
});

t.test('a server that is not a Redis stops the start and names the variable', async (t) => {
  const http = await listen(t, createServer());
  t.match(
    (await start(t, { REDIS_URL: `redis://127.0.0.1:${http}` })).message,
    /^REDIS_URL names a server that/,
  );
  const greeting = await listen(
    t,
    createTcpServer((socket) => void socket.on('error', () => {}).write('220 mail.example ESMTP\r\n')),
  );
  t.match(
    (await start(t, { REDIS_URL: `redis://127.0.0.1:${greeting}` })).message,
    /^REDIS_URL names a server/,
  );
  const closing = await listen(
    t,
    createTcpServer((socket) => void socket.destroy()),
  );
  t.match(
    (await start(t, { REDIS_URL: `redis://127.0.0.1:${closing}` })).message,
    /^REDIS_URL names a Redis that/,
  );
});

t.test('TLS asked of a Redis without it stops the start and names the variable', async (t) => {
  const { port } = await startRedis(t);
  t.match((await start(t, { REDIS_URL: `rediss://127.0.0.1:${port}` })).message, /^REDIS_URL names a Redis/);
});

t.test('a read-only replica stops the start and names the variable', async (t) => {
  const master = await startRedis(t);
  const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(master.port)] });
  t.match((await start(t, { REDIS_URL: replica.url })).message, /^REDIS_URL names a read-only replica/);
});

t.test('an evicting Redis is refused for queues in production and warned of elsewhere', async (t) => {
  const redis = await startRedis(t, { args: ['--maxmemory-policy', 'allkeys-lru'] });
  const env = { REDIS_URL: redis.url };
  const production = await start(t, env);
  t.match(
    production.message,
    /^REDIS_URL names a Redis whose maxmemory-policy is allkeys-lru; the queue role needs/,
  );
  const development = await start(t, env, { production: false });
  t.equal(development.message, '');
  t.match(
    development.lines.find((line) => line.level === 40),
    { policy: 'allkeys-lru', msg: /REDIS_URL/ },
  );
  const cache = await start(t, env, { role: 'cache' });
  t.equal(cache.message, '', 'a cache may evict');
  t.notOk(cache.lines.find((line) => line.level === 40));
});

t.test('a role that is not required may be away, with a warning, and connects later', async (t) => {
  const redis = await startRedis(t);
  await redis.kill();
  const { message, lines, client } = await start(
    t,
    { REDIS_URL: redis.url },
    { role: 'cache', profile: 'request', required: false },
  );
  t.equal(message, '');
  t.match(
    lines.find((line) => line.msg.startsWith('⚠️  Redis unavailable')),
    { role: 'cache', fallback: /in-process/ },
  );
  t.equal(await checkRedisHealth(client), false);
  const back = new Promise<void>((resolve) => client.once('ready', () => resolve()));
  await redis.start();
  await back;
  t.equal(await checkRedisHealth(client), true);
});
