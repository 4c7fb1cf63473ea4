import { eachDatabase, spawnNode, startRedis, until } from '@switchyard/test-kit';
import t from 'tap';
import { textWebhook } from '../fixtures/payloads.ts';
import { createClient, environmentOf, jobsIn, startIngress } from '../ingress.ts';
import { beaten, replaysOf } from '../recovery.ts';

t.jobs = 4;

const SOON = { timeoutMs: 60_000 };
const MAIN = new URL('../../src/main.ts', import.meta.url);

eachDatabase(
  t,
  'strict mode: the whole machine dies and nothing acknowledged is lost',
  async (t, database) => {
    const redis = await startRedis(t, { aof: true });
    const environment = environmentOf(redis, database, { INGRESS_STRICT: 'true' });
    const child = spawnNode(t, MAIN, { env: environment });
    const line = await child.waitForLine(/listening at http/i, { timeoutMs: 120_000 });
    const { webhook } = createClient(t, /http:\/\/[\d.:]+/.exec(line)![0]);
    t.equal((await webhook(textWebhook('kept'))).status, 200);
    await beaten(redis);
    await redis.mark();
    const ids = Array.from({ length: 20 }, (_, index) => `lost-${String(index).padStart(2, '0')}`);
    const answers = await Promise.all(ids.map((id) => webhook(textWebhook(id))));
    t.ok(answers.every(({ status }) => status === 200));
    await child.kill('SIGKILL');
    await redis.forget();

    const next = await startIngress(t, environment);
    const messages = async () =>
      (await jobsIn(next, 'inbound', 'receive-message')).map((job) => String(job.message.id)).toSorted();
    await until(async () => (await messages()).length >= 21, { ...SOON, what: 'all are in the queue again' });
    t.same(await messages(), ['kept', ...ids]);
    t.match(await replaysOf(next), [{ reason: 'queue-restarted', refused: 0 }]);
  },
);

eachDatabase(t, 'replicas recover together', async (t, database) => {
  if (database.url === undefined) {
    t.pass('SQLite has one process');
    return;
  }
  const redis = await startRedis(t, { aof: true });
  const environment = environmentOf(redis, database);
  const [one, two] = await Promise.all([startIngress(t, environment), startIngress(t, environment)]);
  await beaten(redis);
  await redis.mark();
  const ids = Array.from({ length: 20 }, (_, index) => `r-${String(index).padStart(2, '0')}`);
  for (const [index, id] of ids.entries())
    t.equal((await (index % 2 ? one : two).webhook(textWebhook(id))).status, 200);
  await redis.forget();
  const done = async () => {
    const replays = await replaysOf(one);
    return replays.length > 0 && replays.every(({ finishedAtMs }) => finishedAtMs !== null) && replays;
  };
  const both = () =>
    [one, two].every(({ lines }) => lines.some(({ msg }) => msg.includes('taken in again from the archive')));
  await until(both, { ...SOON, what: 'both have noticed' });
  const replays = await until(done, { ...SOON, what: 'what was forgotten is taken in again' });
  t.equal(new Set(replays.map(({ id }) => id)).size, replays.length);
  const messages = await jobsIn(one, 'inbound', 'receive-message');
  t.same(messages.map((job) => String(job.message.id)).toSorted(), ids, 'once each');
});
