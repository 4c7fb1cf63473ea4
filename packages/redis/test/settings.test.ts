import { ConfigError } from '@switchyard/config';
import fc from 'fast-check';
import t from 'tap';
import { bullPrefix } from '../src/index.ts';
import { parseAddress, parseRedisUrl } from '../src/parse-redis-url.ts';
import { settingsOf } from './helper.ts';

t.test('without any setting every role is on localhost:6379, each in its own database', async (t) => {
  const settings = settingsOf({});
  for (const [role, db] of [
    ['cache', 0],
    ['queue', 1],
    ['dedup', 2],
  ] as const)
    t.match(settings[role], {
      role,
      db,
      mode: 'standalone',
      variable: 'REDIS_URL',
      addresses: [{ host: 'localhost', port: 6379 }],
      tls: false,
      keyPrefix: '',
    });
  t.equal(settings.webhookTtlSeconds, 86_400);
  t.equal(bullPrefix(settings.queue), 'bull');
});

t.test('every form of REDIS_URL is understood', async (t) => {
  const urls: [string, object][] = [
    ['redis://localhost:6379', { username: undefined, password: undefined, tls: false }],
    ['redis://:password@host:6379', { username: undefined, password: 'password' }],
    ['redis://username:p%40ss@host:6379', { username: 'username', password: 'p@ss' }],
    ['rediss://host:6380/0', { tls: true, addresses: [{ host: 'host', port: 6380 }] }],
    ['redis://[::1]:6379?family=6', { family: 6, addresses: [{ host: '::1', port: 6379 }] }],
    ['redis://host', { addresses: [{ host: 'host', port: 6379 }] }],
  ];
  for (const [REDIS_URL, expected] of urls) t.match(settingsOf({ REDIS_URL }).queue, expected, REDIS_URL);
});

t.test('the more particular setting wins', async (t) => {
  const host = { REDIS_HOST: 'h', REDIS_PORT: '1', REDIS_USERNAME: 'u', REDIS_PASSWORD: 'p' };
  t.match(settingsOf(host).dedup, {
    addresses: [{ host: 'h', port: 1 }],
    username: 'u',
    password: 'p',
    variable: 'REDIS_HOST',
    passwordVariable: 'REDIS_PASSWORD',
  });
  const roleUrl = settingsOf({ ...host, REDIS_QUEUE_URL: 'redis://q:2/7', REDIS_QUEUE_DB: '3' });
  t.match(roleUrl.queue, { addresses: [{ host: 'q', port: 2 }], db: 7, databaseVariable: 'REDIS_QUEUE_URL' });
  t.equal(roleUrl.queue.password, undefined, 'a role URL replaces the shared place whole');
  t.equal(roleUrl.cache.addresses[0]?.host, 'h');
  t.equal(settingsOf({ REDIS_QUEUE_URL: 'redis://q:2', REDIS_QUEUE_DB: '3' }).queue.db, 3);
  t.equal(settingsOf({ REDIS_WEBHOOK_URL: 'redis://w/5', REDIS_WEBHOOK_DB: '3' }).dedup.db, 5);
  t.match(settingsOf({ REDIS_DB: '4' }).cache, { db: 4, databaseVariable: 'REDIS_DB' });
  t.match(settingsOf({ REDIS_DB: '4', REDIS_CACHE_DB: '5' }).cache, {
    db: 5,
    databaseVariable: 'REDIS_CACHE_DB',
  });
  t.equal(settingsOf({ REDIS_DB: '4' }).queue.db, 1, 'REDIS_DB is the cache alone');
  t.equal(settingsOf({ REDIS_URL: 'redis://h', REDIS_TLS_ENABLED: 'true' }).cache.tls, true);
  t.equal(settingsOf({ REDIS_URL: 'rediss://h', REDIS_TLS_ENABLED: 'false' }).cache.tls, true);
});

t.test('Sentinel and Cluster are settings', async (t) => {
  const sentinel = settingsOf({
    REDIS_SENTINELS: 'a:1, b',
    REDIS_SENTINEL_NAME: 'main',
    REDIS_PASSWORD: 'p',
  });
  t.match(sentinel.queue, {
    mode: 'sentinel',
    db: 1,
    sentinelName: 'main',
    password: 'p',
    addresses: [
      { host: 'a', port: 1 },
      { host: 'b', port: 26379 },
    ],
    variable: 'REDIS_SENTINELS',
  });
  const cluster = settingsOf({ REDIS_CLUSTER_NODES: 'a:1,b:2,c' });
  t.match(cluster.queue, {
    mode: 'cluster',
    db: 0,
    keyPrefix: '{sw-queue}:',
    variable: 'REDIS_CLUSTER_NODES',
  });
  t.equal(cluster.cache.keyPrefix, '{sw-cache}:', 'roles differ by prefix where there are no databases');
  t.equal(bullPrefix(cluster.queue), '{bull}');
  t.equal(settingsOf({ REDIS_CLUSTER_NODES: 'a', REDIS_CACHE_URL: 'redis://c' }).cache.mode, 'standalone');
});

t.test('ambiguous, half or impossible settings are refused by name', async (t) => {
  const URL = 'redis://h:1';
  const sentinel = { REDIS_SENTINELS: 's:1', REDIS_SENTINEL_NAME: 'm' };
  const cases: [Record<string, string>, RegExp][] = [
    [{ REDIS_URL: URL, REDIS_HOST: 'x' }, /^REDIS_URL and REDIS_HOST/],
    [{ REDIS_URL: URL, REDIS_PORT: '1' }, /^REDIS_PORT and REDIS_URL/],
    [{ REDIS_URL: URL, REDIS_USERNAME: 'u', REDIS_PASSWORD: 'p' }, /^REDIS_USERNAME and REDIS_URL/],
    [{ REDIS_URL: URL, REDIS_PASSWORD: 'p' }, /^REDIS_PASSWORD and REDIS_URL/],
    [{ REDIS_URL: URL, ...sentinel }, /^REDIS_URL and REDIS_SENTINELS/],
    [{ REDIS_URL: URL, REDIS_CLUSTER_NODES: 'c' }, /^REDIS_URL and REDIS_CLUSTER_NODES/],
    [{ REDIS_HOST: 'h', ...sentinel }, /^REDIS_HOST and REDIS_SENTINELS/],
    [{ REDIS_PORT: '1', ...sentinel }, /^REDIS_PORT and REDIS_SENTINELS/],
    [{ ...sentinel, REDIS_CLUSTER_NODES: 'c' }, /^REDIS_SENTINELS and REDIS_CLUSTER_NODES/],
    [{ REDIS_SENTINELS: 's:1' }, /^REDIS_SENTINEL_NAME must be set/],
    [{ REDIS_SENTINEL_NAME: 'm' }, /^REDIS_SENTINEL_NAME is set without REDIS_SENTINELS/],
    [{ REDIS_SENTINEL_PASSWORD: 'm' }, /^REDIS_SENTINEL_PASSWORD is set without/],
    [{ REDIS_CLUSTER_NODES: 'c', REDIS_QUEUE_DB: '1' }, /^REDIS_QUEUE_DB is 1, but REDIS_CLUSTER_NODES/],
    [{ REDIS_CLUSTER_NODES: 'c', REDIS_DB: '1' }, /^REDIS_DB is 1, but REDIS_CLUSTER_NODES/],
    [{ REDIS_CLUSTER_NODES: ',' }, /^REDIS_CLUSTER_NODES must be a list/],
    [{ REDIS_CLUSTER_NODES: 'a:b' }, /^REDIS_CLUSTER_NODES must be a list/],
    [{ REDIS_SENTINELS: 'a:99999', REDIS_SENTINEL_NAME: 'm' }, /^REDIS_SENTINELS must be a list/],
    [{ REDIS_USERNAME: 'u' }, /^REDIS_PASSWORD must be set with REDIS_USERNAME/],
    [{ REDIS_URL: 'redis://h/5' }, /^REDIS_URL names database 5/],
    [{ REDIS_QUEUE_DB: '0' }, /^REDIS_QUEUE_DB gives the queue role database 0, which REDIS_CACHE_DB/],
    [{ REDIS_DB: '2' }, /^REDIS_WEBHOOK_DB gives the dedup role database 2, which REDIS_DB/],
    [{ REDIS_QUEUE_URL: 'redis://localhost:6379/2' }, /^REDIS_WEBHOOK_DB .* which REDIS_QUEUE_URL/],
    [{ REDIS_URL: 'http://h' }, /^REDIS_URL must be a URL that starts with redis:/],
    [{ REDIS_URL: 'localhost:6379' }, /^REDIS_URL must be a URL/],
    [{ REDIS_URL: 'redis:///1' }, /^REDIS_URL must name a host/],
    [{ REDIS_URL: 'redis://:p#w@h' }, /^REDIS_URL /],
    [{ REDIS_URL: 'redis://:50%off@h' }, /^REDIS_URL has a "%"/],
    [{ REDIS_QUEUE_URL: 'redis://h/x' }, /^REDIS_QUEUE_URL must end in a database number/],
    [{ REDIS_CACHE_URL: 'redis://h?db=1' }, /^REDIS_CACHE_URL may have no query/],
    [{ REDIS_PORT: '70000' }, /^REDIS_PORT /],
    [{ REDIS_CACHE_DB: '-1' }, /^REDIS_CACHE_DB /],
    [{ REDIS_TLS_ENABLED: 'yes' }, /^REDIS_TLS_ENABLED must be true or false/],
    [{ REDIS_TTL_SECONDS: '0' }, /^REDIS_TTL_SECONDS /],
  ];
  for (const [env, expected] of cases) {
    try {
      settingsOf(env);
      t.fail(`accepted ${JSON.stringify(env)}`);
    } catch (error) {
      t.ok(error instanceof ConfigError);
      t.match((error as Error).message, expected, JSON.stringify(env));
    }
  }
});

t.test('any credentials survive the way through a URL, and no text breaks the parsers', async () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.nat(15),
      (username, password, db) => {
        const url = `redis://${encodeURIComponent(username)}:${encodeURIComponent(password)}@host:7000/${db}`;
        const parsed = parseRedisUrl('REDIS_URL', url);
        return parsed.username === username && parsed.password === password && parsed.db === db;
      },
    ),
  );
  const isConfigError = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      return error instanceof ConfigError && !error.message.includes('\n');
    }
    return true;
  };
  fc.assert(
    fc.property(fc.string(), (text) => isConfigError(() => parseRedisUrl('REDIS_URL', `redis://${text}`))),
  );
  fc.assert(
    fc.property(fc.string(), (text) => isConfigError(() => parseAddress('REDIS_SENTINELS', text, 1))),
  );
});
