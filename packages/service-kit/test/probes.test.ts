import { until } from '@switchyard/test-kit';
import t from 'tap';
import Type from 'typebox';
import { createMetrics, type HealthSource, ok, succeed } from '../src/index.ts';
import { apiKey, bearer, listen } from './helper.ts';

const totals = { waiting: 1, active: 2, completed: 3, failed: 4, delayed: 5 };
const healthy: HealthSource = {
  redisConnected: async () => true,
  queues: async () => ({ status: 'healthy', totals }),
  checks: { database: async () => true },
};
const never = () => new Promise<never>(() => undefined);

async function read(url: string) {
  const response = await fetch(url);
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

t.test('R6.4: /health has exactly its shape and needs no token', async (t) => {
  const { url } = await listen(t, { health: healthy, env: { NODE_ENV: 'test' } });
  const { status, json } = await read(`${url}/health`);
  t.equal(status, 200);
  t.strictSame(Object.keys(json), [
    'status',
    'timestamp',
    'uptime',
    'environment',
    'redis',
    'queues',
    'totals',
  ]);
  t.match(json, {
    status: 'ok',
    uptime: Number,
    environment: 'test',
    redis: { connected: true },
    queues: 'healthy',
  });
  t.strictSame(json.totals, totals);
  t.equal(new Date(json.timestamp as string).toISOString(), json.timestamp);
});

t.test('/health says what is wrong, within a second or so, whatever hangs or throws', async (t) => {
  const states: [string, Partial<HealthSource>, number, object][] = [
    [
      'queue trouble',
      { queues: async () => ({ status: 'backlogged', totals }) },
      200,
      { status: 'degraded', queues: 'backlogged' },
    ],
    [
      'counts not readable',
      { queues: async () => undefined },
      200,
      { status: 'degraded', queues: 'unavailable' },
    ],
    ['a dependency away', { checks: { database: async () => false } }, 200, { status: 'degraded' }],
    [
      'Redis away',
      { redisConnected: async () => false },
      503,
      { status: 'unavailable', redis: { connected: false } },
    ],
    [
      'everything throws',
      {
        redisConnected: () => Promise.reject(new Error()),
        queues: () => {
          throw new Error();
        },
      },
      503,
      { status: 'unavailable' },
    ],
    [
      'everything hangs',
      { redisConnected: never, queues: never, checks: { database: never } },
      503,
      { status: 'unavailable' },
    ],
  ];
  await Promise.all(
    states.map(async ([name, broken, status, json]) => {
      const { url } = await listen(t, { health: { ...healthy, ...broken } });
      const startedMs = performance.now();
      t.match(await read(`${url}/health`), { status, json }, name);
      t.ok(performance.now() - startedMs < 5_000, name);
    }),
  );
});

t.test('/ready follows the dependencies, /live the progress of work', async (t) => {
  let database = async () => true;
  let live: { ok: boolean; reason?: string } = { ok: true };
  const { url } = await listen(t, {
    health: { ...healthy, checks: { database: () => database(), queue: async () => true } },
    live: () => live,
  });
  t.match(await read(`${url}/ready`), {
    status: 200,
    json: { status: 'ready', checks: { database: true, queue: true } },
  });
  database = async () => false;
  t.match(await read(`${url}/ready`), { status: 503, json: { checks: { database: false, queue: true } } });
  database = never;
  t.match(await read(`${url}/ready`), { status: 503, json: { checks: { database: false } } });
  t.match(
    await read(`${url}/live`),
    { status: 200, json: { status: 'ok' } },
    'dependencies do not concern /live',
  );
  live = { ok: false, reason: 'flows: 5 jobs wait, none finished for 60 s' };
  t.match(await read(`${url}/live`), { status: 503, json: { status: 'stuck', reason: live.reason } });
});

t.test('many probes at once ask the dependencies once', async (t) => {
  let asked = 0;
  const answer = Promise.withResolvers<boolean>();
  const { url } = await listen(t, {
    health: {
      ...healthy,
      checks: {
        database: () => {
          asked++;
          return answer.promise;
        },
      },
    },
  });
  const probes = Array.from({ length: 10 }, () => read(`${url}/ready`));
  await until(() => asked > 0, { what: 'a check' });
  setTimeout(() => answer.resolve(true), 200);
  await Promise.all(probes);
  t.equal(asked, 1);
});

t.test('/metrics shows Node, HTTP, jobs and gauges, with bounded labels', async (t) => {
  const metrics = createMetrics({ service: 'tested' });
  metrics.gauge('switchyard_queue_jobs', 'Jobs by state.', ['state'], (set) => set({ state: 'waiting' }, 7));
  metrics.gauge('switchyard_away', 'A source that is away.', [], async () => {
    throw new Error('away');
  });
  metrics.counter('switchyard_sent_total', 'Sent.', ['kind']).add({ kind: 'text' }, 2);
  metrics.jobObserver.onFinished({
    queue: 'flows',
    name: 'event',
    outcome: 'done',
    waitMs: 20,
    processMs: 30,
  });
  metrics.jobObserver.onStalled({ queue: 'flows' });
  const { url } = await listen(t, {
    metrics,
    routes: (app) => app.get('/api/v1/people/:phone', async () => succeed(null)),
  });
  await fetch(`${url}/api/v1/people/15551234567`, { headers: await bearer() });
  await fetch(`${url}/wp-login.php`);
  const text = await until(
    async () => {
      const scraped = await (await fetch(`${url}/metrics`)).text();
      return scraped.includes('people') && scraped.includes('unmatched') && scraped;
    },
    { what: 'both requests counted' },
  );
  for (const line of [
    /^nodejs_eventloop_lag_p99_seconds\{service="tested"\}/m,
    /^switchyard_http_request_duration_seconds_count\{service="tested",method="GET",route="\/api\/v1\/people\/:phone",status_class="2xx"\} 1$/m,
    /^switchyard_http_request_duration_seconds_count\{.*route="unmatched",status_class="4xx"\} 1$/m,
    /^switchyard_jobs_total\{.*queue="flows",name="event",outcome="done".*\} 1$/m,
    /^switchyard_job_wait_seconds_sum\{.*\} 0.02$/m,
    /^switchyard_job_process_seconds_sum\{.*\} 0.03$/m,
    /^switchyard_jobs_stalled_total\{.*\} 1$/m,
    /^switchyard_queue_jobs\{.*state="waiting".*\} 7$/m,
    /^switchyard_sent_total\{.*kind="text".*\} 2$/m,
  ]) {
    t.match(text, line);
  }
  t.notMatch(text, /15551234567|wp-login/);
});

t.test('/metrics asks for METRICS_TOKEN where one is set', async (t) => {
  const { url } = await listen(t, { env: { METRICS_TOKEN: 'scrape-me' } });
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${url}/metrics`, { headers })).status;
  t.equal(await status({}), 401);
  t.equal(await status({ authorization: `Bearer ${apiKey}` }), 401);
  t.equal(await status({ authorization: 'Bearer scrape-me' }), 200);
});

t.test('/docs is a page that loads nothing from elsewhere, /docs/json is OpenAPI', async (t) => {
  const { url } = await listen(t, {
    routes(app) {
      app.post(
        '/api/v1/orders',
        {
          schema: {
            summary: 'Order',
            body: Type.Object({ to: Type.String() }),
            response: { 200: ok(Type.Null()) },
          },
        },
        async () => succeed(null),
      );
    },
  });
  const page = await fetch(`${url}/docs/`);
  const html = await page.text();
  const policy = page.headers.get('content-security-policy') ?? '';
  t.match(policy, /script-src 'self';/);
  t.notMatch(policy, /upgrade-insecure-requests/);
  t.notMatch(html, /(src|href)="https?:/);
  t.notMatch(html, /<script>/, 'no inline script, which the policy would stop');
  const [script = ''] = /[^"]*swagger-initializer\.js/.exec(html) ?? [];
  t.equal((await fetch(new URL(script, `${url}/docs/`))).status, 200);
  const openapi = (await (await fetch(`${url}/docs/json`)).json()) as {
    paths: Record<string, unknown>;
    info: unknown;
  };
  t.match(openapi.info, { title: 'Switchyard tested', version: '1.2.3' });
  t.match(openapi.paths['/api/v1/orders'], {
    post: { security: [{ bearer: [] }], responses: { '200': {}, '4XX': {}, '5XX': {} } },
  });
  t.ok(openapi.paths['/health']);
});

t.test('an overloaded process sheds requests with 503 and Retry-After, never its probes', async (t) => {
  const { url } = await listen(t, {
    env: { MAX_RSS_BYTES: '1' },
    routes: (app) => app.get('/api/v1/work', async () => succeed(null)),
  });
  const headers = await bearer();
  const shed = await until(
    async () => {
      const response = await fetch(`${url}/api/v1/work`, { headers });
      if (response.status === 503) return response;
      await response.arrayBuffer();
      return undefined;
    },
    { what: 'a shed request' },
  );
  t.equal(shed.headers.get('retry-after'), '2');
  t.match(await shed.json(), {
    success: false,
    error: { code: 'OVERLOADED', details: { kind: 'rssBytes' } },
  });
  for (const probe of ['health', 'live', 'ready', 'metrics']) {
    t.equal((await fetch(`${url}/${probe}`)).status, 200, probe);
  }
});
