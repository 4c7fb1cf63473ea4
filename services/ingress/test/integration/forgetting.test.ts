import { createHmac } from 'node:crypto';
import { eachDatabase, startRedis, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import t from 'tap';
import { alertsWebhook } from '../fixtures/alerts.ts';
import {
  message,
  messagesChange,
  otherFields,
  status,
  textWebhook,
  userPreferences,
  webhook,
} from '../fixtures/payloads.ts';
import { ORDER, SHOP } from '../fixtures/shopify.ts';
import { ALERTMANAGER_TOKEN, environmentOf, jobsIn, startIngress } from '../ingress.ts';
import { beaten, replaysOf } from '../recovery.ts';
import { startConsumer } from '../start-consumer.ts';

type Ingress = Awaited<ReturnType<typeof startIngress>>;

// Mostly waiting: for looks, for replicas, for a task's turn.
t.jobs = 6;

/** A replay waits for the replicas, then for its turn. */
const SOON = { timeoutMs: 60_000 };
const CUSTOM_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** The messages in the queue, by the provider's id, oldest first. */
const messagesIn = async (ingress: Ingress) =>
  (await jobsIn(ingress, 'inbound', 'receive-message')).map((job) => String(job.message.id));
const noticed = ({ lines }: Ingress) =>
  lines.filter(({ msg }) => msg.includes('taken in again from the archive')).length;
/** Waits until ingress has noticed more often than before, and has done what follows. */
const recovered = (ingress: Ingress, before = 0) =>
  until(
    async () => {
      if (noticed(ingress) <= before) return;
      const replays = await replaysOf(ingress);
      return replays.every(({ finishedAtMs }) => finishedAtMs !== null) && replays;
    },
    { ...SOON, what: 'what was forgotten is taken in again' },
  );
/** Posts until it is taken: Redis, or the database, may just be coming back. */
const taken = (post: () => Promise<{ status: number }>) =>
  until(async () => (await post()).status === 200, { ...SOON, what: 'a webhook is taken' });

async function createCustomSource({ call }: Ingress): Promise<string> {
  const app = {
    kind: 'custom',
    name: 'ERP',
    secret: CUSTOM_SECRET,
    signature: { scheme: 'standard-webhooks' },
  };
  const { id: appId } = (await call('POST', '/api/v1/apps', { body: app })).body.data as unknown as {
    id: string;
  };
  const made = await call('POST', '/api/v1/sources', { body: { kind: 'custom', name: 'ERP', appId } });
  return (made.body.data as unknown as { sourceKey: string }).sourceKey;
}

function postCustom({ call }: Ingress, sourceKey: string, id: string) {
  const body = '{"type":"order.paid"}';
  const timestamp = String(Math.floor(Date.now() / 1000));
  const key = Buffer.from(CUSTOM_SECRET.slice(6), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
  return call('POST', `/webhooks/events/${sourceKey}`, { body, key: '', headers });
}

eachDatabase(t, 'Promise: what Redis acknowledged and forgot is taken in again', async (t, database) => {
  const redis = await startRedis(t, { aof: true });
  // One of its own, which remembers that ingress has seen the events.
  const dedup = await startRedis(t);
  const environment = environmentOf(redis, database, { REDIS_WEBHOOK_URL: `${dedup.url}/2` });
  const ingress = await startIngress(t, environment);
  const { call, webhook: post, shopify } = ingress;

  await t.test('of every kind, by itself, once each', async (t) => {
    const sourceKey = await createCustomSource(ingress);
    // Another person than those who write: what is erased is not taken in again.
    const customer = { id: 191168, email: 'bo@example.com', phone: '+15550009999' };
    const redact = { shop_id: 1, shop_domain: SHOP, customer, orders_to_redact: [] };
    const about = (topic: string, id: string) => ({
      headers: { 'x-shopify-topic': topic, 'x-shopify-webhook-id': id },
    });
    t.equal((await post(textWebhook('kept'))).status, 200);
    t.equal((await post(webhook(messagesChange({ statuses: [status('sent')] })))).status, 200);
    await beaten(redis);
    await redis.mark();
    const mixed = webhook(
      messagesChange({ messages: [message('text', { id: 'mixed' })] }),
      messagesChange({ messages: [{ no: 'id' }] }),
    );
    const answers = [
      await post(textWebhook('forgotten')),
      await post(mixed),
      await post(webhook(messagesChange({ statuses: [status('delivered')] }))),
      await post(
        webhook({
          field: 'message_template_status_update',
          value: otherFields.message_template_status_update,
        }),
      ),
      await post(webhook({ field: 'user_preferences', value: userPreferences })),
      await shopify(ORDER),
      await postCustom(ingress, sourceKey, 'evt_1'),
      await shopify(redact, about('customers/redact', 'c-1')),
      await call('POST', '/webhooks/alertmanager', { body: alertsWebhook, key: ALERTMANAGER_TOKEN }),
    ];
    t.same([...new Set(answers.map(({ status }) => status))], [200]);
    await redis.forget();
    const [replay] = await recovered(ingress);
    t.match(replay, { reason: 'queue-restarted', refused: 0 });

    t.same((await messagesIn(ingress)).toSorted(), ['forgotten', 'kept', 'mixed']);
    const statuses = await jobsIn(ingress, 'receipts', 'apply-statuses');
    t.same(statuses.map((job) => job.statuses[0]?.status).toSorted(), ['delivered', 'sent']);
    t.equal((await jobsIn(ingress, 'receipts', 'apply-account-update')).length, 1);
    t.equal((await jobsIn(ingress, 'receipts', 'apply-preferences')).length, 1);
    t.equal((await jobsIn(ingress, 'inbound', 'receive-shopify-event')).length, 1);
    t.equal((await jobsIn(ingress, 'inbound', 'receive-custom-event')).length, 1);
    const unrouted = await ingress.runtime.database.db
      .selectFrom('unrouted_events')
      .select('reason')
      .execute();
    t.equal(unrouted.length, 1, 'what has no place to go to is kept once');
    const erasures = async () =>
      (await call('GET', '/api/v1/erasures')).body.data as unknown as { kind: string }[];
    await until(async () => (await erasures()).length > 0, { ...SOON, what: 'the erasure is recorded' });
    t.equal((await erasures()).length, 1);

    // The archive has no alerts: they come again as long as they fire, though ingress has seen them.
    const again = () =>
      call('POST', '/webhooks/alertmanager', { body: alertsWebhook, key: ALERTMANAGER_TOKEN });
    await taken(again);
    t.equal((await again()).status, 200);
    const told = await jobsIn(ingress, 'notifications', 'send-notification');
    t.equal(told.filter(({ title }) => title.includes('RedisMemoryHigh')).length, 1);

    const { data } = (await call('GET', '/api/v1/archive/replays')).body;
    t.match(data, [{ reason: 'queue-restarted' }], 'the operator sees it');
    t.ok(ingress.lines.some(({ msg }) => msg.includes('taken in again from the archive')));
    t.match(
      (await call('GET', '/metrics', { key: '' })).text,
      /ingress_archive_recoveries_total\{?[^\n]*\}? [1-9]/,
    );
  });

  await t.test('what a replay had added, and Redis forgot again, too', async (t) => {
    const before = noticed(ingress);
    // The same mark: everything since is forgotten once more, replay and all.
    await redis.forget();
    await recovered(ingress, before);
    t.same((await messagesIn(ingress)).toSorted(), ['forgotten', 'kept', 'mixed']);
    t.equal((await jobsIn(ingress, 'inbound', 'receive-shopify-event')).length, 1);
  });

  await t.test('connections that break, without a Redis that died, are no reason', async (t) => {
    const before = noticed(ingress);
    const control = new Redis(`${redis.url}/1`);
    for (let blip = 0; blip < 3; blip++) {
      await control.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await taken(() => post(textWebhook(`blip-${blip}`)));
      await beaten(redis);
    }
    control.disconnect();
    t.equal(noticed(ingress), before);
  });

  await t.test('many deaths in a row leave one replay to be done, not many', async (t) => {
    await beaten(redis);
    await redis.mark();
    await taken(() => post(textWebhook('row')));
    const before = noticed(ingress);
    for (let death = 0; death < 3; death++) {
      await redis.forget();
      await taken(() => post(textWebhook(`row-${death}`)));
      await beaten(redis);
      const open = (await replaysOf(ingress)).filter(({ finishedAtMs }) => finishedAtMs === null);
      t.ok(open.length <= 1, `${open.length} to be done`);
    }
    await recovered(ingress, before + 2);
    const there = (await messagesIn(ingress)).filter((id) => id.startsWith('row')).toSorted();
    t.same(there, ['row', 'row-0', 'row-1', 'row-2']);
  });

  await t.test('while the archive can’t be written it waits for it', async (t) => {
    const rename = (from: string, to: string) =>
      sql`alter table ${sql.table(from)} rename to ${sql.table(to)}`.execute(ingress.runtime.database.db);
    const before = noticed(ingress);
    await beaten(redis);
    await redis.mark();
    await rename('archive_segments', 'away');
    await taken(() => post(textWebhook('late')));
    await redis.forget();
    await until(
      () => ingress.lines.some(({ msg }) => msg.includes('has forgotten anything is not known now')),
      {
        ...SOON,
        what: 'it can’t be recovered yet',
      },
    );
    t.equal(noticed(ingress), before);
    await rename('away', 'archive_segments');
    await recovered(ingress, before);
    t.equal((await messagesIn(ingress)).filter((id) => id === 'late').length, 1);
  });
});

eachDatabase(t, 'what was not forgotten has no second effect', async (t, database) => {
  const redis = await startRedis(t, { aof: true });
  const ingress = await startIngress(t, environmentOf(redis, database));
  const effects = startConsumer(t, redis.url);
  const startedAtMs = Date.now();
  const ids = ['one', 'two', 'three'];
  for (const id of ids) t.equal((await ingress.webhook(textWebhook(id))).status, 200);
  await until(() => ids.every((id) => effects.has(id)), { ...SOON, what: 'all are processed' });
  await beaten(redis);
  await redis.stop();
  await redis.start();
  const [replay] = await recovered(ingress);
  t.equal(replay?.reason, 'queue-restarted');
  // Whatever time has passed on a slow machine: all of them are offered once more.
  const body = { fromMs: startedAtMs, toMs: Date.now() };
  t.equal((await ingress.call('POST', '/api/v1/archive/replays', { body })).status, 201);
  const finished = async () => (await replaysOf(ingress)).every(({ finishedAtMs }) => finishedAtMs !== null);
  await until(finished, { ...SOON, what: 'the replay by hand ends' });
  t.match((await replaysOf(ingress)).at(-1), { reason: 'requested', accepted: 3 });
  await taken(() => ingress.webhook(textWebhook('after')));
  await until(() => effects.has('after'), { ...SOON, what: 'what came after them' });
  t.same([...effects.values()], [1, 1, 1, 1]);
});

eachDatabase(t, 'a Redis that comes back empty gets the last hour again', async (t, database) => {
  const redis = await startRedis(t);
  const ingress = await startIngress(t, environmentOf(redis, database));
  t.equal((await ingress.webhook(textWebhook('emptied'))).status, 200);
  await redis.kill();
  await redis.start();
  const [replay] = await recovered(ingress);
  t.ok(replay!.toMs - replay!.fromMs >= 3_600_000);
  t.same(await messagesIn(ingress), ['emptied']);
  t.ok(ingress.lines.some(({ msg }) => msg.includes('Redis (queue) is empty')));
});
