import { createSqliteDatabase, eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { basic, bearer, login, startExporter } from './helper.ts';

interface Job {
  id: string;
  data: unknown;
  failedReason?: string;
  stacktrace: string[];
}
interface Action {
  operator: string;
  action: string;
  queue: string | null;
  jobId: string | null;
  status: number | null;
}

await eachDatabase(t, 'R6.1: Bull Board shows all queues behind a login', async (t, database) => {
  const { runtime, board } = await startExporter(t, database, {
    BULL_BOARD_USERNAME: 'öperator',
    BULL_BOARD_PASSWORD: 'pass:word',
    BULL_BOARD_FAILURES_PER_MINUTE: '5',
  });
  const right = { authorization: basic('öperator', 'pass:word') };
  for (const path of ['', '/', '/api/queues', '/static/favicon.ico', '/queue/flows']) {
    const { statusCode, headers } = await runtime.app.inject(`/admin/queues${path}`);
    t.equal(statusCode, 401, `${path} without a login`);
    t.match(headers['www-authenticate'], /^Basic realm=/);
    t.equal((await board('GET', path, right)).statusCode, 200, `${path} with a login`);
  }

  const page = await board('GET', '/queue/flows', right);
  t.match(page.body, /<base href="\/admin\/queues\/" \/>/);
  t.notMatch(page.body, /https?:\/\//, 'nothing comes from elsewhere');
  t.match(page.headers['content-security-policy'], /default-src 'self';.*script-src 'self';/);
  const docs = await runtime.app.inject('/docs/');
  t.not(docs.headers['content-security-policy'], page.headers['content-security-policy'], 'only here');
  const script = /src="(static\/js\/main[^"]*)"/.exec(page.body)?.[1];
  t.equal((await board('GET', `/${script}`, right)).statusCode, 200);
  const { queues } = (await board('GET', '/api/queues', right)).json() as { queues: unknown[] };
  t.equal(queues.length, 14);

  for (const authorization of [login, basic('öperator', 'wrong'), basic('', ''), 'Basic !', 'Bearer x'])
    t.equal((await board('GET', '/api/queues', { authorization })).statusCode, 401);
  await board('GET', '/api/queues', { authorization: login });
  t.equal(
    (await board('GET', '/api/queues', { authorization: login })).statusCode,
    401,
    'the fifth wrong one',
  );
  const blocked = await board('GET', '/api/queues', right);
  t.equal(blocked.statusCode, 429, 'then even the right one has to wait');
  t.ok(Number(blocked.headers['retry-after']) > 0);
});

await eachDatabase(
  t,
  'R6.1: jobs are retried, cleaned, paused and resumed, and each action is recorded',
  async (t, database) => {
    const { runtime, get, board } = await startExporter(t, database);
    const queue = runtime.producer.queue('analytics');
    const { id } = await queue.add('roll-up-period', { stray: true });
    const failedCount = async (count: number) =>
      until(async () => (await queue.getFailedCount()) === count, { what: `${count} failed jobs` });
    await failedCount(1);

    t.equal((await board('PUT', `/api/queues/analytics/${id}/retry`)).statusCode, 204);
    await until(
      async () =>
        ((await queue.getJob(String(id)))?.attemptsStarted ?? 0) >= 2 && (await queue.getFailedCount()) === 1,
      {
        what: 'the job has failed again',
      },
    );
    // Bull Board leaves alone what has failed within the last seconds.
    await runtime.redis.queue.zadd('bull:analytics:failed', 'XX', 1, String(id));
    t.equal((await board('PUT', '/api/queues/analytics/clean/failed')).statusCode, 200);
    await failedCount(0);
    t.equal((await board('PUT', '/api/queues/exports/pause')).statusCode, 200);
    t.equal(await runtime.producer.queue('exports').isPaused(), true);
    t.equal((await board('PUT', '/api/queues/exports/resume')).statusCode, 200);
    t.equal(await runtime.producer.queue('exports').isPaused(), false);

    for (const [method, path, body] of [
      ['POST', '/api/queues/analytics/add', { name: 'x', data: {}, options: {} }],
      ['PATCH', `/api/queues/analytics/${id}/update-data`, { jobData: {} }],
      ['PUT', '/api/queues/analytics/obliterate', { force: true }],
      ['PUT', '/api/queues/analytics/retry/completed', undefined],
    ] as const)
      t.equal((await board(method, path, {}, body)).statusCode, 403, `${path} is refused`);

    const actions = async () =>
      ((await get('/api/v1/queues/actions', await bearer(['admin']))).body.data as { actions: Action[] })
        .actions;
    const all = await until(
      async () => {
        const found = await actions();
        return found.every(({ status }) => status !== null) && found;
      },
      { what: 'the ends are recorded' },
    );
    t.equal(all.length, 8);
    t.match(all.at(-1), {
      operator: 'admin',
      action: '/admin/queues/api/queues/:queueName/:jobId/retry',
      queue: 'analytics',
      jobId: String(id),
      status: 204,
    });
    t.match(all[0], { action: '/admin/queues/api/queues/:queueName/retry/:queueStatus', status: 403 });
  },
);

await eachDatabase(t, 'changes that a page of another site asks for are refused', async (t, database) => {
  const { runtime, board } = await startExporter(t, database);
  const exports = runtime.producer.queue('exports');
  const pause = async (headers: Record<string, string>) =>
    (await board('PUT', '/api/queues/exports/pause', { host: 'queues.example:5000', ...headers })).statusCode;

  t.equal(await pause({ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }), 403);
  t.equal(await pause({ 'sec-fetch-site': 'same-site', origin: 'http://evil.queues.example' }), 403);
  t.equal(await pause({ origin: 'https://evil.example' }), 403);
  t.equal(await pause({ origin: 'http://queues.example' }), 403, 'another port is another site');
  t.equal(await pause({ origin: 'null' }), 403);
  t.equal(await exports.isPaused(), false);
  t.equal(await pause({ origin: 'http://queues.example:5000' }), 200);
  t.equal(await pause({ 'sec-fetch-site': 'same-origin', origin: 'https://behind.a.proxy' }), 200);
  t.equal(await pause({}), 200, 'no browser');
  t.equal(
    (await board('GET', '/api/queues', { 'sec-fetch-site': 'cross-site' })).statusCode,
    200,
    'reading changes nothing, and the other page cannot see it',
  );
});

await eachDatabase(
  t,
  'the dashboard shows no phone number and no token, and cuts large data',
  async (t, database) => {
    const { runtime, board } = await startExporter(t, database);
    const queue = runtime.producer.queue('webhooks');
    const secret = 'EAAabcdefghijklmnopqrstuvwxyz';
    const { id } = await queue.add('deliver-webhook', {
      v: 1,
      payload: {
        to: '+491701234567',
        contact: { phone: '491701234567', waId: '491701234567' },
        identifiers: [{ kind: 'phone', value: '491701234567' }],
        accessToken: secret,
        text: `call +491701234567 with ${secret}`,
        large: 'x'.repeat(1_000_000),
        many: Array.from({ length: 10_000 }, (_, index) => index),
        fine: { count: 3 },
      },
    });
    const job = await queue.getJob(String(id));
    await job?.log(`called +491701234567 with ${secret}`);
    await runtime.redis.queue.hset(
      `bull:webhooks:${id}`,
      'failedReason',
      `refused +491701234567 bearer ${secret}`,
      'stacktrace',
      JSON.stringify([`Error: +491701234567 ${secret}`]),
    );

    const list = await board('GET', '/api/queues?activeQueue=webhooks&status=latest&page=1&jobsPerPage=10');
    const one = await board('GET', `/api/queues/webhooks/${id}`);
    const logs = await board('GET', `/api/queues/webhooks/${id}/logs`);
    for (const { statusCode, body } of [list, one, logs]) {
      t.equal(statusCode, 200);
      t.notMatch(body, /1701234567/);
      t.notMatch(body, new RegExp(secret));
      t.ok(body.length < 30_000, 'a page stays light');
    }
    const shown = (one.json() as { job: Job }).job;
    t.match(shown.data, { payload: { to: '***4567', accessToken: '[hidden]', fine: { count: 3 } } });
    t.match(shown.failedReason, /^refused \*\*\*4567/);
    t.match(logs.body, /called \*\*\*4567/);
    await queue.add(
      'deliver-webhook',
      Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`k${n}`, 'y'.repeat(1900)])),
      {
        jobId: 'wide',
      },
    );
    const wide = (await board('GET', '/api/queues/webhooks/wide')).json() as { job: Job };
    t.match(wide.job.data, { cut: /^\d+ characters$/, start: /^\{"k0"/ });
  },
);

t.test('nothing is changed on the dashboard that can not be recorded', async (t) => {
  const { runtime, board } = await startExporter(t, await createSqliteDatabase(t));
  await runtime.database.db.schema.dropTable('boardActions').execute();
  t.equal((await board('PUT', '/api/queues/exports/pause')).statusCode, 500);
  t.equal(await runtime.producer.queue('exports').isPaused(), false);
});
