import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { silentLogger, startRedis, until } from '@switchyard/test-kit';
import { Cluster, Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { createProducer, type QueueLink, type RedisClient } from '../src/index.ts';

const run = promisify(execFile);

async function linkOf(t: Test, connection: RedisClient, prefix: string): Promise<QueueLink> {
  connection.on('error', () => {});
  const producer = createProducer({ connection, prefix, logger: silentLogger() });
  t.teardown(async () => {
    await producer.close();
    connection.disconnect();
  });
  const { link } = producer;
  await until(() => link.prove().then(() => true), { what: 'it answers', timeoutMs: 30_000 });
  return link;
}

t.test('a link tells of every lost connection, and whether the server answers', async (t) => {
  const redis = await startRedis(t);
  const link = await linkOf(t, new Redis(redis.url, { maxRetriesPerRequest: null }), 'bull');
  const before = link.breaks();
  await redis.freeze();
  await t.rejects(link.prove(), /no answer/);
  redis.thaw();
  await link.prove();
  t.equal(link.breaks(), before, 'hung, not lost');
  await redis.kill();
  await until(() => link.breaks() > before, { what: 'it tells' });
  await redis.start();
  await until(() => link.prove().then(() => true), { what: 'it answers again', timeoutMs: 30_000 });
});

t.test('on a cluster a lost node is a lost connection', async (t) => {
  const args = ['--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no'];
  const nodes = await Promise.all([0, 1, 2].map(() => startRedis(t, { args })));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { timeout: 30_000 });
  const client = new Cluster(
    nodes.map(({ host, port }) => ({ host, port })),
    { redisOptions: { commandTimeout: 1000 } },
  );
  const link = await linkOf(t, client, '{bull}');
  const slot = await client.cluster('KEYSLOT', '{bull}:link');
  const ranges = await client.cluster('SLOTS');
  const owner = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2]?.[1];
  const before = link.breaks();
  await nodes.find(({ port }) => port === owner)?.kill();
  await until(() => link.breaks() > before, { what: 'it tells', timeoutMs: 30_000 });
  await t.rejects(link.prove());
});
