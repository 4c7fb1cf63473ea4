import { createSqliteDatabase, startRedis, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t from 'tap';
import { startExporter } from './helper.ts';

t.test('figures, scrape and dashboard work on Redis Cluster', async (t) => {
  const redis = await startRedis(t, { args: ['--cluster-enabled', 'yes'] });
  const admin = new Redis(redis.url);
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await until(async () => String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'), {
    what: 'the cluster has formed',
  });
  admin.disconnect();
  const env = { REDIS_URL: '', REDIS_CLUSTER_NODES: `127.0.0.1:${redis.port}` };
  const { runtime, get, scrape, board } = await startExporter(t, await createSqliteDatabase(t), env, redis);
  t.equal(runtime.bullPrefix, '{bull}');

  await runtime.producer.queue('exports').add('export-records', { stray: true });
  const { queues } = (await get('/api/v1/queues/metrics')).body.data as {
    queues: Record<string, { waiting: number; workers: number }>;
  };
  t.match(queues.exports, { waiting: 1, workers: 0 });
  t.match(queues.analytics, { waiting: 0, workers: 1 });
  const lines = await scrape();
  t.ok(lines.includes('bullmq_job_count{queue="exports",state="waiting",service="metrics-exporter"} 1'));
  t.ok(lines.includes(`redis_up{role="queue",node="127.0.0.1:${redis.port}",service="metrics-exporter"} 1`));
  const shown = (await board('GET', '/api/queues')).json() as { queues: { name: string; counts: object }[] };
  t.match(
    shown.queues.find(({ name }) => name === 'exports'),
    { counts: { waiting: 1 } },
  );
});
