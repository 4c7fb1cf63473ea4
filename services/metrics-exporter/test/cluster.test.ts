import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createSqliteDatabase, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { startExporter } from './helper.ts';

const run = promisify(execFile);

t.test('figures, scrape and dashboard work on Redis Cluster', async (t) => {
  const nodes = await Promise.all([0, 1, 2].map(() => startRedis(t, { args: ['--cluster-enabled', 'yes'] })));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { timeout: 15_000 });
  const env = { REDIS_URL: '', REDIS_CLUSTER_NODES: addresses.join() };
  const { runtime, get, scrape, board } = await startExporter(
    t,
    await createSqliteDatabase(t),
    env,
    nodes[0],
  );
  t.equal(runtime.bullPrefix, '{bull}');

  await runtime.producer.queue('exports').add('export-records', { stray: true });
  const { queues } = (await get('/api/v1/queues/metrics')).body.data as {
    queues: Record<string, { waiting: number; workers: number }>;
  };
  t.match(queues.exports, { waiting: 1, workers: 0 });
  t.match(queues.analytics, { waiting: 0, workers: 1 });
  const lines = await scrape();
  t.ok(lines.includes('bullmq_job_count{queue="exports",state="waiting",service="metrics-exporter"} 1'));
  for (const address of addresses)
    t.ok(lines.includes(`redis_up{role="queue",node="${address}",service="metrics-exporter"} 1`), address);
  const shown = (await board('GET', '/api/queues')).json() as { queues: { name: string; counts: object }[] };
  t.match(
    shown.queues.find(({ name }) => name === 'exports'),
    { counts: { waiting: 1 } },
  );
});
