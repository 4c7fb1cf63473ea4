import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { startExporter } from './helper.ts';

interface Health {
  status: string;
  redis: { connected: boolean };
  queues: Record<string, { waiting: number }>;
  totals: Record<string, number>;
  timestamp: string;
}

/** A scrape's and a call's time at most, on a machine that is busy. */
const boundMs = 4000;

await eachDatabase(
  t,
  'a dead or hung Redis is shown within seconds, and so is its return',
  async (t, database) => {
    const { redis, get, scrape, board } = await startExporter(t, database);

    async function checkAway(how: string): Promise<void> {
      const startedMs = performance.now();
      const [health, metrics, statistics, lines] = await Promise.all([
        get('/api/v1/queues/health'),
        get('/api/v1/queues/metrics'),
        get('/api/v1/queues/statistics'),
        scrape(),
      ]);
      t.ok(performance.now() - startedMs < boundMs, `${how}: answered in time`);
      const data = health.body.data as Health;
      t.equal(health.status, 503);
      t.strictSame(Object.keys(data), ['status', 'redis', 'queues', 'totals', 'timestamp']);
      t.match(data, { status: 'unhealthy', redis: { connected: false } });
      t.strictSame(data.totals, { waiting: 0, active: 0, completed: 0, failed: 0, delayed: 0 });
      t.equal(metrics.status, 503);
      t.equal(statistics.status, 503);
      for (const role of ['queue', 'dedup', 'cache'])
        t.ok(
          lines.some((line) => line.startsWith(`redis_up{role="${role}"`) && line.endsWith(' 0')),
          `${how}: redis_up of ${role} is 0`,
        );
      t.notOk(
        lines.some((line) => line.startsWith('bullmq_job_count{')),
        `${how}: no stale figures`,
      );
      t.ok(
        lines.some((line) => line.startsWith('process_cpu_seconds_total')),
        `${how}: the rest is there`,
      );
    }
    const isBack = async () =>
      (await get('/api/v1/queues/health')).status === 200 &&
      (await board('GET', '/api/queues')).statusCode === 200 &&
      (await scrape()).filter((line) => /^redis_up\{.* 1$/.test(line)).length === 3;

    await redis.freeze();
    await checkAway('hung');
    redis.thaw();
    await until(isBack, { what: 'Redis is back', timeoutMs: 20_000 });
    await redis.kill();
    await checkAway('dead');
    const startedMs = performance.now();
    t.ok((await board('GET', '/api/queues')).statusCode >= 500);
    t.equal((await board('GET', '/')).statusCode, 200, 'the page itself needs no Redis');
    t.ok(performance.now() - startedMs < boundMs, 'the dashboard says so in time');
    await redis.start();
    await until(isBack, { what: 'Redis is back', timeoutMs: 20_000 });
  },
);
