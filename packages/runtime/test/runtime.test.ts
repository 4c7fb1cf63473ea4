import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { type ConfigFields, loadConfig } from '@switchyard/config';
import { defineError } from '@switchyard/errors';
import {
  createMysqlDatabase,
  createSqliteDatabase,
  eachDatabase,
  silentLogger,
  startRedis,
  type TestDatabase,
  until,
} from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { createRuntime, runtimeFields } from '../src/index.ts';

const apiKey = 'sk_test_0123456789abcdef0123456789';
const fields = runtimeFields(0) satisfies ConfigFields;
const poison = defineError('POISON', 422, 'never');

function settings(redisUrl: string, database: TestDatabase, env: Record<string, string> = {}) {
  return loadConfig(fields, {
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    REDIS_URL: redisUrl,
    DATA_DIR: database.dataDir,
    ...(database.url === undefined ? {} : { DATABASE_URL: database.url }),
    SWITCHYARD_API_KEY: apiKey,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ...env,
  });
}

async function startRuntime(t: Test, database: TestDatabase, env: Record<string, string> = {}) {
  const redis = await startRedis(t);
  const runtime = await createRuntime({
    service: 'notifier',
    version: '0.0.0',
    config: settings(redis.url, database, env),
    migrations: {},
    logger: silentLogger(),
  });
  t.teardown(() => runtime.close());
  const call = (method: 'GET' | 'POST' | 'DELETE', url: string) =>
    runtime.app.inject({ method, url, headers: { authorization: `Bearer ${apiKey}` } });
  return { runtime, redis, call };
}

eachDatabase(
  t,
  'a job that failed for good is listed, can be retried once and dropped, and mutations are audited',
  async (t, database) => {
    const { runtime, call } = await startRuntime(t, database);
    let isPoisoned = true;
    const seen: string[] = [];
    runtime.addWorker('notifications', {
      'send-notification': async ({ notificationId }) => {
        if (isPoisoned) throw poison('this one can never succeed');
        seen.push(notificationId);
      },
    });
    await runtime.start();
    await runtime.producer.add({
      queue: 'notifications',
      name: 'send-notification',
      payload: { notificationId: 'n1', key: 'k', severity: 'info', title: 'x', occurredAtMs: 1 },
      meta: { merchantId: 'default', correlationId: 'c1' },
    });
    const list = async () => {
      const answer = (await call('GET', '/api/v1/failed-jobs')).json() as {
        data: { failedJobs: { id: string; code: string }[] };
      };
      return answer.data.failedJobs;
    };
    const [failed] = await until(async () => ((await list()).length > 0 ? list() : undefined), {
      what: 'the failed job',
    });
    t.match(failed, { code: 'POISON', jobId: 'n1', queue: 'notifications', correlationId: 'c1' });
    const shown = (await call('GET', `/api/v1/failed-jobs/${failed!.id}`)).json() as {
      data: { data: string };
    };
    t.match(JSON.parse(shown.data.data), { payload: { notificationId: 'n1' } });

    isPoisoned = false;
    t.equal((await call('POST', `/api/v1/failed-jobs/${failed!.id}/retry`)).statusCode, 202);
    await until(() => seen.length === 1, { what: 'the retry' });
    t.equal((await call('POST', `/api/v1/failed-jobs/${failed!.id}/retry`)).statusCode, 409);
    t.equal((await call('DELETE', `/api/v1/failed-jobs/${failed!.id}`)).statusCode, 200);
    t.equal((await call('GET', `/api/v1/failed-jobs/${failed!.id}`)).statusCode, 404);
    t.strictSame(seen, ['n1']);

    const audit = await until(
      async () => {
        const rows = await (
          runtime.database.db as never as {
            selectFrom(table: 'auditLog'): {
              selectAll(): { execute(): Promise<{ method: string; status: number }[]> };
            };
          }
        )
          .selectFrom('auditLog')
          .selectAll()
          .execute();
        return rows.length === 3 ? rows : undefined;
      },
      { what: 'the audit log' },
    );
    t.strictSame(audit.map(({ method, status }) => `${method} ${status}`).sort(), [
      'DELETE 200',
      'POST 202',
      'POST 409',
    ]);
  },
);

t.test('health, readiness and liveness tell the truth while Redis is away and after', async (t) => {
  const { runtime, redis, call } = await startRuntime(t, await createSqliteDatabase(t));
  await runtime.start();
  t.match((await call('GET', '/health')).json(), {
    status: 'ok',
    environment: 'test',
    redis: { connected: true },
    queues: 'healthy',
    totals: { waiting: 0, active: 0, completed: 0, failed: 0, delayed: 0 },
  });
  t.equal((await call('GET', '/ready')).statusCode, 200);
  await redis.stop();
  t.equal((await call('GET', '/ready')).statusCode, 503);
  t.match((await call('GET', '/health')).json(), { redis: { connected: false } });
  t.equal((await call('GET', '/live')).statusCode, 200, 'a dead Redis is no reason to be restarted');
  await redis.start();
  await until(async () => (await call('GET', '/ready')).statusCode === 200, {
    what: 'readiness',
    timeoutMs: 10_000,
  });
});

t.test(
  'a start that fails says why in one line that names the variable, and leaves nothing open',
  async (t) => {
    const database = await createSqliteDatabase(t);
    const redis = await startRedis(t, { password: 'correct' });
    const start = (env: Record<string, string>) =>
      createRuntime({
        service: 'notifier',
        version: '0.0.0',
        config: settings(redis.url, database, env),
        migrations: {},
        logger: silentLogger(),
      });
    await t.rejects(start({ REDIS_URL: 'redis://127.0.0.1:1' }), /^REDIS_URL /);
    await t.rejects(start({ REDIS_URL: redis.url.replace('correct', 'wrong') }), /^REDIS_URL /);
    await t.rejects(start({ REDIS_QUEUE_DB: '99' }), /^REDIS_QUEUE_DB /);
    await t.rejects(start({ DATABASE_URL: 'mysql://nobody:x@127.0.0.1:1' }), /^DATABASE_URL /);

    const first = await start({});
    t.teardown(() => first.close());
    await t.rejects(start({}), /^DATA_DIR /, 'a second process on the same files');
    await first.close();
    const again = await start({});
    await again.close();

    const occupier = createServer();
    await new Promise<void>((resolve) => occupier.listen(0, '127.0.0.1', resolve));
    t.teardown(() => occupier.close());
    const { port } = occupier.address() as { port: number };
    const blocked = await start({ PORT: String(port) });
    await t.rejects(blocked.start(), /^PORT /);
    await blocked.close();
  },
);

t.test('what is committed when a service stops is still added to its queue', async (t) => {
  const database = await createMysqlDatabase(t);
  const { runtime, redis } = await startRuntime(t, database);
  await runtime.start();
  for (let index = 0; index < 50; index += 1) {
    await runtime.outbox.transaction(async (_trx, enqueue) => {
      enqueue({
        queue: 'notifications',
        name: 'send-notification',
        payload: { notificationId: `n${index}`, key: 'k', severity: 'info', title: 'x', occurredAtMs: 1 },
      });
    });
  }
  await runtime.close();
  const { runtime: next } = {
    runtime: await createRuntime({
      service: 'notifier',
      version: '0',
      config: settings(redis.url, database),
      migrations: {},
      logger: silentLogger(),
    }),
  };
  t.teardown(() => next.close());
  t.equal(await next.producer.queue('notifications').getJobCountByTypes('waiting'), 50);
});
