import { catalog, queueNames } from '@switchyard/jobs';
import { eachDatabase, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t from 'tap';
import { bearer, startExporter } from './helper.ts';

interface Counts {
  name: string;
  waiting: number;
  active: number;
  completed: number;
  failed: number;
  delayed: number;
  isPaused: boolean;
}
interface Health {
  status: string;
  redis: { connected: boolean };
  queues: Record<string, Counts>;
  totals: Omit<Counts, 'name' | 'isPaused'>;
  timestamp: string;
}
interface Ended {
  completed: number;
  failed: number;
}
type QueueMetrics = Counts & {
  oldestWaitingMs: number | null;
  workers: number | null;
  lastMinutes: { completed: number[]; failed: number[] };
  ended: Ended;
  problems: string[];
};

const day = 24 * 3600 * 1000;
const snapshot = (startsAtMs: number, figures: Record<string, number>) =>
  ({
    queue: 'analytics',
    name: 'roll-up-period',
    payload: {
      merchantId: 'default',
      owner: 'campaign-sender',
      period: 'day',
      startsAtMs,
      endsAtMs: startsAtMs + day,
      figures,
    },
  }) as const;
const notification = (id: string, delayMs?: number) =>
  ({
    queue: 'notifications',
    name: 'send-notification',
    payload: { notificationId: id, key: 'test', severity: 'info', title: 'Test', occurredAtMs: 1 },
    ...(delayMs === undefined ? {} : { options: { delayMs } }),
  }) as const;
const sum = (values: number[]) => values.reduce((total, each) => total + each, 0);

await eachDatabase(t, 'R6.2, R6.3: API and scrape show the figures of known queues', async (t, database) => {
  const { runtime, redis, get, scrape } = await startExporter(t, database);
  const { producer } = runtime;
  const idle = await get('/api/v1/queues/health');
  t.equal(idle.status, 200);
  t.equal((idle.body.data as Health).status, 'healthy');

  await producer.addMany([snapshot(0, { sent: 1 }), snapshot(day, { sent: 2 })]);
  // Not added by a producer of ours: fails for good at once.
  await producer.queue('analytics').add('roll-up-period', { stray: true });
  await producer.addMany([notification('n1'), notification('n2'), notification('n3', day)]);
  await producer.queue('exports').pause();
  // Another installation on the same server, in another database: its worker is none of ours.
  const connectionName = `bull:${Buffer.from('notifications').toString('base64')}`;
  const stranger = new Redis(`${redis.url}/9`, { connectionName });
  t.teardown(() => stranger.disconnect());
  await stranger.ping();
  const read = async () =>
    (await get('/api/v1/queues/metrics')).body.data as { queues: Record<string, QueueMetrics> };
  const { queues } = await until(
    async () => {
      const metrics = await read();
      const { ended } = metrics.queues.analytics as QueueMetrics;
      return ended.completed === 2 && ended.failed === 1 && metrics;
    },
    { what: 'the analytics jobs have ended' },
  );

  const analytics = queues.analytics as QueueMetrics;
  t.match(analytics, {
    completed: 2,
    failed: 1,
    waiting: 0,
    workers: 1,
    oldestWaitingMs: null,
    problems: [],
  });
  t.equal(sum(analytics.lastMinutes.completed), 2);
  t.equal(sum(analytics.lastMinutes.failed), 1);
  const notifications = queues.notifications as QueueMetrics;
  t.match(notifications, { waiting: 2, delayed: 1, workers: 0, problems: ['no-workers'] });
  t.ok((notifications.oldestWaitingMs ?? -1) >= 0);
  t.strictSame(queues.exports?.problems, ['paused']);

  const { status, body } = await get('/api/v1/queues/health', await bearer(['queues:read']));
  const health = body.data as Health;
  t.equal(status, 200);
  t.strictSame(Object.keys(health), ['status', 'redis', 'queues', 'totals', 'timestamp']);
  t.match(health, { status: 'degraded', redis: { connected: true } });
  t.strictSame(Object.keys(health.queues), queueNames);
  t.strictSame(health.queues.notifications, {
    name: 'notifications',
    waiting: 2,
    active: 0,
    completed: 0,
    failed: 0,
    delayed: 1,
    isPaused: false,
  });
  t.equal(health.queues.exports?.isPaused, true);
  t.strictSame(health.totals, { waiting: 2, active: 0, completed: 2, failed: 1, delayed: 1 });

  const statistics = (await get('/api/v1/queues/statistics')).body.data as {
    totals: Health['totals'];
    ended: Ended;
    throughput: Record<'lastHour' | 'lastDay', Ended & { failureRate: number; perMinute: number }>;
    queues: Record<string, { lastDay: Ended }>;
  };
  t.strictSame(statistics.totals, health.totals);
  t.strictSame(statistics.ended, { completed: 2, failed: 1 });
  t.strictSame(statistics.throughput.lastHour, {
    completed: 2,
    failed: 1,
    perMinute: 3 / 60,
    failureRate: 1 / 3,
  });
  t.match(statistics.queues.analytics?.lastDay, { completed: 2, failed: 1 });

  const lines = await scrape();
  const has = (metric: string) => t.ok(lines.includes(metric), metric);
  const service = 'service="metrics-exporter"';
  has(`bullmq_job_count{queue="notifications",state="waiting",${service}} 2`);
  has(`bullmq_job_count{queue="notifications",state="delayed",${service}} 1`);
  has(`bullmq_job_completed_total{queue="analytics",${service}} 2`);
  has(`bullmq_job_failed_total{queue="analytics",${service}} 1`);
  has(`bullmq_workers{queue="analytics",${service}} 1`);
  has(`bullmq_queue_paused{queue="exports",${service}} 1`);
  t.equal(lines.filter((line) => line.startsWith('bullmq_job_count{')).length, queueNames.length * 5);
  t.equal(lines.filter((line) => line.startsWith('# TYPE bullmq_job_count ')).length, 1);
  for (const role of ['queue', 'dedup', 'cache'])
    for (const metric of [
      'redis_up',
      'redis_memory_used_bytes',
      'redis_ping_seconds',
      'redis_evicted_keys_total',
    ])
      t.ok(
        lines.some((line) => line.startsWith(`${metric}{role="${role}"`)),
        `${metric} of ${role}`,
      );
  t.equal(catalog.analytics.consumer, 'metrics-exporter');
});

await eachDatabase(t, 'the queue API needs a token with queues:read', async (t, database) => {
  const { runtime, get } = await startExporter(t, database);
  for (const path of ['health', 'metrics', 'statistics']) {
    t.equal((await runtime.app.inject(`/api/v1/queues/${path}`)).statusCode, 401);
    t.equal((await get(`/api/v1/queues/${path}`, await bearer(['messages:read']))).status, 403);
    t.equal((await get(`/api/v1/queues/${path}`, await bearer(['queues:read']))).status, 200);
  }
  t.equal((await get('/api/v1/queues/actions', await bearer(['queues:read']))).status, 403);
});

await eachDatabase(
  t,
  'R2.9: a period has one snapshot; figures that come later replace it',
  async (t, database) => {
    const { runtime, get } = await startExporter(t, database);
    const { producer } = runtime;
    const list = async (query: string, token?: string) =>
      (await get(`/api/v1/analytics/snapshots?period=day${query}`, token)).body.data as {
        snapshots: { startsAtMs: number; figures: Record<string, number> }[];
        nextCursor: string | null;
      };
    await producer.addMany([
      snapshot(0, { sent: 1 }),
      snapshot(day, { sent: 2 }),
      snapshot(2 * day, { sent: 3 }),
    ]);
    await until(async () => (await list('')).snapshots.length === 3, { what: 'three snapshots' });
    await producer.addAgain(snapshot(day, { sent: 20, 'delivered ünï': 1.5 }));
    await until(async () => (await list('')).snapshots[1]?.figures.sent === 20, {
      what: 'the later figures',
    });

    t.strictSame(
      (await list(`&from=${day}&to=${2 * day}`)).snapshots.map(({ figures }) => figures),
      [{ sent: 20, 'delivered ünï': 1.5 }],
    );
    const first = await list('&limit=2');
    t.strictSame(
      first.snapshots.map(({ startsAtMs }) => startsAtMs),
      [0, day],
    );
    const second = await list(`&limit=2&cursor=${first.nextCursor}`);
    t.strictSame(
      second.snapshots.map(({ startsAtMs }) => startsAtMs),
      [2 * day],
    );
    t.equal(second.nextCursor, null);
    t.strictSame(
      (await list('', await bearer(['analytics:read'], 'other'))).snapshots,
      [],
      "another merchant's stay his",
    );
    t.equal((await get('/api/v1/analytics/snapshots?period=year')).status, 400);
  },
);
