import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, recordingLogger, startRedis, until } from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { checkRedisAtStart, connectRedis, createLocks } from '../src/index.ts';
import { settingsOf, timed } from './helper.ts';

/** A real sentinel, alone in its quorum, that declares a master dead after half a second. */
async function startSentinel(t: Test, masterPort: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'switchyard-sentinel-'));
  const port = await freePort();
  const file = join(directory, 'sentinel.conf');
  await writeFile(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      `sentinel monitor main 127.0.0.1 ${masterPort} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 2000',
      '',
    ].join('\n'),
  );
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(directory, { recursive: true, force: true });
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  await until(() => output.includes('+monitor master main') && output.includes('+slave'), {
    what: 'the sentinel knows master and replica',
    timeoutMs: 20_000,
  });
  return port;
}

t.test(
  'Sentinel: both profiles survive the master’s death and go on with the promoted replica',
  async (t) => {
    const master = await startRedis(t, { aof: true });
    const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(master.port)] });
    await until(
      () => /role:master[\s\S]*connected_slaves:1/.test(master.output) || replica.output.includes('success'),
      {
        what: 'the replica is in sync',
      },
    );
    const sentinel = await startSentinel(t, master.port);
    const settings = settingsOf({ REDIS_SENTINELS: `127.0.0.1:${sentinel}`, REDIS_SENTINEL_NAME: 'main' });
    const { logger, lines } = recordingLogger();
    const worker = connectRedis(settings.queue, { profile: 'worker', logger });
    const request = connectRedis(settings.cache, { profile: 'request', logger });
    t.teardown(() => {
      worker.disconnect();
      request.disconnect();
    });
    await checkRedisAtStart(worker, settings.queue, { production: true, logger });
    await checkRedisAtStart(request, settings.cache, { production: true, logger });
    await worker.set('job', 'kept');
    await worker.wait(1, 1000);
    const locks = createLocks({ client: request, logger });

    await master.kill();
    const read = worker.get('job');
    const { tookMs } = await timed(() => locks.acquireLock('during', 1));
    t.ok(tookMs < 5000, 'requests do not wait for the fail-over');
    t.equal(await read, 'kept', 'a worker’s command is answered by the new master, in the right database');
    t.match(await worker.info('replication'), /role:master/);
    // Its first connections may still reach a master that is being demoted.
    await until(async () => (await request.set('key', 'value')) === 'OK', {
      timeoutMs: 30_000,
      what: 'the request client follows',
    });
    t.equal(await request.get('job'), null, 'each role in its own database');
    t.equal(lines.filter((line) => line.msg === '✅ Redis: Connected and ready').length >= 4, true);
  },
);

t.test('Sentinel: an unknown master or dead sentinels stop the start and name the variable', async (t) => {
  const port = await freePort();
  const { logger } = recordingLogger();
  const { queue } = settingsOf({ REDIS_SENTINELS: `127.0.0.1:${port}`, REDIS_SENTINEL_NAME: 'main' });
  const client = connectRedis(queue, { profile: 'worker', logger });
  const { error, tookMs } = await timed(() =>
    checkRedisAtStart(client, queue, { production: true, logger, timeoutMs: 2000 }),
  );
  t.match(error, { name: 'ConfigError', message: /^REDIS_SENTINELS names a Redis that can't be reached/ });
  t.ok(tookMs < 10_000);
});
