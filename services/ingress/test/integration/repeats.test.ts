import { createSqliteDatabase, eachDatabase, spawnNode, startRedis, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t from 'tap';
import { eventId } from '../../src/intake/event-id.ts';
import { NUMBER, textWebhook } from '../fixtures/payloads.ts';
import { createClient, environmentOf, startIngress } from '../ingress.ts';
import { startConsumer } from '../start-consumer.ts';

eachDatabase(t, 'Promise: nothing is processed twice', async (t, database) => {
  const redis = await startRedis(t, { aof: true });
  const dedup = await startRedis(t);
  const environment = environmentOf(redis, database, { REDIS_WEBHOOK_URL: `${dedup.url}/2` });
  const one = await startIngress(t, environment);
  // Several processes never share a SQLite file; the number and its secret come from the environment anyway.
  const another = database.url === undefined ? await createSqliteDatabase(t) : database;
  const two = await startIngress(t, { ...environment, DATA_DIR: another.dataDir });
  const effects = startConsumer(t, redis.url);

  await t.test('50 identical POSTs at once over two replicas have one effect', async (t) => {
    const payload = textWebhook('fifty');
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 ? one : two).webhook(payload)),
    );
    t.ok(answers.every(({ status }) => status === 200));
    await until(() => effects.get('fifty'), { what: 'the event arrives' });
    t.equal((await one.webhook(payload)).status, 200, 'a retry much later');
    t.equal((await one.webhook(textWebhook('after-fifty'))).status, 200);
    await until(() => effects.get('after-fifty'), { what: 'what came after it' });
    t.equal(effects.get('fifty'), 1);
  });

  await t.test(
    'a process killed between add and SET: the provider’s retry has no second effect',
    async (t) => {
      const file = new URL('../../src/main.ts', import.meta.url);
      const spare = database.url === undefined ? await createSqliteDatabase(t) : database;
      const child = spawnNode(t, file, { env: { ...environment, DATA_DIR: spare.dataDir, PORT: '0' } });
      const line = await child.waitForLine(/listening at http/i);
      const url = /http:\/\/[\d.:]+/.exec(line)![0];
      const client = createClient(t, url);
      t.equal((await client.webhook(textWebhook('warm-up'))).status, 200);
      // Reads pass, writes wait: the job is added, and SET does not come back.
      const control = new Redis(`${dedup.url}/2`);
      await control.client('PAUSE', 60_000, 'WRITE');
      const answer = client.webhook(textWebhook('killed')).then(
        ({ status }) => status,
        () => 'no answer',
      );
      await until(() => effects.get('killed'), { intervalMs: 1, what: 'the job is added' });
      const exit = await child.kill('SIGKILL');
      t.equal(exit.signal, 'SIGKILL');
      t.equal(await answer, 'no answer');
      await control.client('UNPAUSE');
      t.equal(await control.exists(`done:${eventId('whatsapp', NUMBER, 'message', 'killed')}`), 0);
      control.disconnect();
      t.equal((await one.webhook(textWebhook('killed'))).status, 200);
      t.equal((await one.webhook(textWebhook('after-killed'))).status, 200);
      await until(() => effects.get('after-killed'), { what: 'what came after it' });
      t.equal(effects.get('killed'), 1);
    },
  );

  await t.test(
    'with the deduplication Redis hung, then dead, repeats still have one effect, and no one waits',
    async (t) => {
      const twice = async (id: string) => {
        for (const ingress of [one, two]) {
          const startedAt = performance.now();
          t.equal((await ingress.webhook(textWebhook(id))).status, 200);
          t.ok(
            performance.now() - startedAt < 5000,
            `answered within ${Math.round(performance.now() - startedAt)} ms`,
          );
          await until(() => effects.get(id), { what: 'the first arrives' });
        }
        t.equal((await one.webhook(textWebhook(`after-${id}`))).status, 200);
        await until(() => effects.get(`after-${id}`), { what: 'what came after it' });
        t.equal(effects.get(id), 1);
      };
      await dedup.freeze();
      await twice('hung');
      dedup.thaw();
      await dedup.stop();
      await twice('dead');
      await dedup.start();
    },
  );
});
