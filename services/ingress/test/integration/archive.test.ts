import { eachDatabase, startRedis, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import t from 'tap';
import { unpackSegment } from '../../src/archive/segment.ts';
import { message, messagesChange, OTHER_NUMBER, textWebhook, webhook } from '../fixtures/payloads.ts';
import { ORDER } from '../fixtures/shopify.ts';
import { environmentOf, jobsIn, startIngress } from '../ingress.ts';

type Ingress = Awaited<ReturnType<typeof startIngress>>;

/** Everything in the archive, with its merchant. */
async function archived({ runtime }: Ingress) {
  const rows = await runtime.database.db.selectFrom('archive_segments').selectAll().orderBy('id').execute();
  return (await Promise.all(rows.map(({ merchantId, packed }) => unpackSegment(merchantId, packed)))).flat();
}

const renameArchive = ({ runtime }: Ingress, from: string, to: string) =>
  sql`alter table ${sql.table(from)} rename to ${sql.table(to)}`.execute(runtime.database.db);

eachDatabase(t, 'the archive', async (t, database) => {
  const redis = await startRedis(t);
  const ingress = await startIngress(t, environmentOf(redis, database));
  const { call, webhook: post, shopify } = ingress;
  const startedAtMs = Date.now();
  const count = (least: number) =>
    until(async () => (await archived(ingress)).length >= least, { what: `${least} archived` });
  const ids = async () =>
    (await jobsIn(ingress, 'inbound', 'receive-message')).map((job) => String(job.message.id)).toSorted();

  async function replay(body: object = {}) {
    const made = await call('POST', '/api/v1/archive/replays', {
      body: { fromMs: startedAtMs, toMs: Date.now() + 1000, ...body },
    });
    t.equal(made.status, 201);
    const { id } = made.body.data as unknown as { id: string };
    return until(
      async () => {
        const { data } = (await call('GET', `/api/v1/archive/replays/${id}`)).body;
        const row = data as unknown as { finishedAtMs: number | null; accepted: number };
        return row.finishedAtMs === null ? undefined : row;
      },
      { what: 'the replay ends' },
    );
  }

  await t.test('webhooks are archived soon after their answer, whole and without signature', async (t) => {
    t.equal((await post(textWebhook('a-1'))).status, 200);
    t.equal((await post(textWebhook('a-1'))).status, 200, 'a repeat is not archived again');
    t.equal((await shopify(ORDER)).status, 200);
    await count(2);
    const entries = await archived(ingress);
    t.same(entries.map(({ merchantId, kind }) => `${merchantId} ${kind}`).toSorted(), [
      'default shopify',
      'default whatsapp',
    ]);
    const order = entries.find(({ kind }) => kind === 'shopify');
    t.equal(order?.body.toString(), ORDER);
    t.equal(order?.headers['x-shopify-topic'], 'orders/create');
    t.notOk(JSON.stringify(entries).includes('hmac'));
    t.match((await call('GET', '/api/v1/archive')).body.data, { isOn: true, entries: 2 });
  });

  await t.test('after the queue Redis has lost all, a replay brings back each event once', async (t) => {
    t.equal((await post(textWebhook('a-2'))).status, 200);
    await count(3);
    const control = new Redis(`${redis.url}/1`);
    await control.flushdb();
    control.disconnect();
    t.same(await ids(), []);
    t.match(await replay(), { accepted: 3, refused: 0 });
    t.same(await ids(), ['a-1', 'a-2']);
    await replay();
    t.same(await ids(), ['a-1', 'a-2'], 'again: the queue and its consumer know them by their ids');
    t.match(await replay({ kind: 'shopify' }), { accepted: 1 });
    t.match(await replay({ merchantId: 'nobody' }), { accepted: 0 });
    t.equal((await archived(ingress)).length, 3, 'what is replayed is not archived anew');
  });

  await t.test('a range that is empty or older than 8 days is refused', async (t) => {
    const refused = { status: 400, body: { error: { code: 'REPLAY_RANGE_INVALID' } } };
    const ask = (fromMs: number, toMs: number) =>
      call('POST', '/api/v1/archive/replays', { body: { fromMs, toMs } });
    t.match(await ask(Date.now() - 9 * 86_400_000, Date.now()), refused);
    t.match(await ask(Date.now(), Date.now() - 1), refused);
    t.equal((await call('GET', '/api/v1/archive/replays/none')).status, 404);
  });

  await t.test(
    'a merchant can opt out; of a payload for two, each one’s part is archived alone',
    async (t) => {
      await call('POST', '/api/v1/merchants', { body: { id: 'shop2', name: 'Second' } });
      const as = { headers: { 'x-merchant-id': 'shop2' } };
      const body = { kind: 'whatsapp', sourceKey: OTHER_NUMBER, appId: 'app_environment' };
      t.equal((await call('POST', '/api/v1/sources', { body, ...as })).status, 201);
      const both = (name: string) =>
        webhook(
          messagesChange({ messages: [message('text', { id: `${name}-1` })] }),
          messagesChange({ messages: [message('text', { id: `${name}-2` })] }, OTHER_NUMBER),
        );
      t.equal((await post(both('both'))).status, 200);
      await count(5);
      const own = (await archived(ingress)).filter(({ merchantId }) => merchantId === 'shop2');
      t.equal(own.length, 1);
      t.match(own[0]?.body.toString(), '"both-2"');
      t.notMatch(own[0]?.body.toString(), '"both-1"');

      t.match(await call('PUT', '/api/v1/archive', { body: { isOn: false }, ...as }), {
        status: 200,
        body: { data: { isOn: false, entries: 0 } },
      });
      t.equal((await post(both('off'))).status, 200);
      await count(5);
      t.same(
        (await archived(ingress)).filter(({ merchantId }) => merchantId === 'shop2'),
        [],
      );
    },
  );

  await t.test('while the archive is away webhooks go on, and are archived once it is back', async (t) => {
    const before = (await archived(ingress)).length;
    await renameArchive(ingress, 'archive_segments', 'away');
    t.equal((await post(textWebhook('while-away'))).status, 200);
    await until(() => ingress.lines.some(({ msg }) => msg.includes('archive could not be written')), {
      what: 'a write fails',
    });
    await renameArchive(ingress, 'away', 'archive_segments');
    await count(before + 1);
  });

  await t.test('what waits is archived when the process stops', async (t) => {
    t.equal((await post(textWebhook('last'))).status, 200);
    await ingress.runtime.close();
    const next = await startIngress(t, environmentOf(redis, database));
    t.ok((await archived(next)).some(({ body }) => body.includes('"last"')));
    await next.runtime.close();
  });
});

eachDatabase(t, 'strict mode', async (t, database) => {
  const redis = await startRedis(t);
  const ingress = await startIngress(t, environmentOf(redis, database, { INGRESS_STRICT: 'true' }));
  const { webhook: post } = ingress;

  await t.test('every answered webhook is in SQL', async (t) => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => post(textWebhook(`s-${index}`))),
    );
    t.ok(answers.every(({ status }) => status === 200));
    t.equal((await archived(ingress)).length, 60);
  });

  await t.test(
    'what can’t be archived is not acknowledged: 503 with Retry-After, and the retry has one effect',
    async (t) => {
      await renameArchive(ingress, 'archive_segments', 'away');
      const refused = await post(textWebhook('strict'));
      t.match(refused, { status: 503, body: { error: { code: 'DATABASE_AWAY' } } });
      t.ok(Number(refused.headers['retry-after']) >= 1);
      await renameArchive(ingress, 'away', 'archive_segments');
      t.equal((await post(textWebhook('strict'))).status, 200);
      t.ok((await archived(ingress)).some(({ body }) => body.includes('"strict"')));
      const jobs = await jobsIn(ingress, 'inbound', 'receive-message');
      t.equal(jobs.filter((job) => job.message.id === 'strict').length, 1);
    },
  );
});
