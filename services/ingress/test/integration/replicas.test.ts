import { eachDatabase, startRedis, until } from '@switchyard/test-kit';
import t from 'tap';
import { OTHER_NUMBER, textWebhook } from '../fixtures/payloads.ts';
import { environmentOf, startIngress } from '../ingress.ts';

eachDatabase(t, 'a change made at one replica holds at the others within seconds', async (t, database) => {
  if (database.url === undefined) {
    t.pass('SQLite has one process');
    return;
  }
  const redis = await startRedis(t);
  const environment = environmentOf(redis, database);
  const [one, two] = await Promise.all([startIngress(t, environment), startIngress(t, environment)]);
  const app = await one.call('POST', '/api/v1/apps', {
    body: { kind: 'whatsapp', name: 'x', secret: 'first-secret' },
  });
  const { id } = app.body.data as unknown as { id: string };
  const status = async (event: string, secret: string) =>
    (await two.webhook(textWebhook(event, {}, OTHER_NUMBER), { secret })).status;
  await until(async () => (await status('a', 'first-secret')) === 200, {
    timeoutMs: 5000,
    what: 'a new app is known',
  });
  const body = { secret: 'second-secret', overlapSeconds: 0 };
  t.equal((await one.call('POST', `/api/v1/apps/${id}/rotate-secret`, { body })).status, 200);
  await until(async () => (await status('b', 'first-secret')) === 401, {
    timeoutMs: 5000,
    what: 'the old secret is refused',
  });
  t.equal(await status('c', 'second-secret'), 200);
});
