import { createHmac } from 'node:crypto';
import { eachDatabase, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { alertsWebhook } from '../fixtures/alerts.ts';
import { ALERTMANAGER_TOKEN, environmentOf, jobsIn, startIngress } from '../ingress.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NEW_SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;

eachDatabase(t, 'events of one’s own systems', async (t, database) => {
  const redis = await startRedis(t);
  const ingress = await startIngress(t, environmentOf(redis, database));
  const { call } = ingress;
  const events = () => jobsIn(ingress, 'inbound', 'receive-custom-event');
  let appId = '';
  let source = { id: '', sourceKey: '' };

  function post(
    id: string,
    payload: unknown,
    options: { secret?: string; atMs?: number; path?: string } = {},
  ) {
    const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const timestamp = Math.floor((options.atMs ?? Date.now()) / 1000);
    const key = Buffer.from((options.secret ?? SECRET).slice(6), 'base64');
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    return call('POST', `/webhooks/events/${options.path ?? source.sourceKey}`, {
      body,
      key: '',
      headers: {
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': `v1,${signature}`,
      },
    });
  }

  await t.test(
    'a source of events has a path that can’t be guessed, and a secret its scheme can use',
    async (t) => {
      const create = (body: object) =>
        call('POST', '/api/v1/apps', { body: { kind: 'custom', name: 'ERP', ...body } });
      const signature = { scheme: 'standard-webhooks' };
      t.match(await create({ secret: 'not-of-the-scheme', signature }), {
        status: 400,
        body: { error: { code: 'SECRET_MALFORMED' } },
      });
      t.equal((await create({ secret: SECRET })).status, 400, 'how it signs must be said');
      const app = await create({ secret: SECRET, signature });
      t.equal(app.status, 201);
      appId = (app.body.data as unknown as { id: string }).id;
      const made = await call('POST', '/api/v1/sources', { body: { kind: 'custom', name: 'ERP', appId } });
      t.equal(made.status, 201);
      source = made.body.data as unknown as typeof source;
      t.match(source.sourceKey, /^evs_[\w-]{24}$/);
    },
  );

  await t.test('a signed event becomes one job, its repeat none', async (t) => {
    const body = '{"type":"order.paid","timestamp":"2025-11-20T17:33:20Z","data":{"id":820982911946154508}}';
    for (let attempt = 0; attempt < 3; attempt++) t.equal((await post('msg_1', body)).status, 200);
    t.match(await events(), [
      {
        merchantId: 'default',
        source: source.sourceKey,
        type: 'order.paid',
        occurredAtMs: 1_763_660_000_000,
        body,
      },
    ]);
    t.equal((await events()).length, 1);
  });

  await t.test(
    'forged, altered and old requests get 401, an unknown path 404; nothing is queued',
    async (t) => {
      const refused = { status: 401, body: { error: { code: 'SIGNATURE_INVALID' } } };
      t.match(await post('msg_2', { type: 'x' }, { secret: NEW_SECRET }), refused);
      t.match(
        await post('msg_2', { type: 'x' }, { atMs: Date.now() - 301_000 }),
        refused,
        'an old one, sent again',
      );
      t.match(await call('POST', `/webhooks/events/${source.sourceKey}`, { body: {}, key: '' }), refused);
      t.equal((await post('msg_2', { type: 'x' }, { path: 'evs_guessed' })).status, 404);
      t.equal((await events()).length, 1);
    },
  );

  await t.test('its secret is rotated without a gap', async (t) => {
    const rotate = (secret: string) =>
      call('POST', `/api/v1/apps/${appId}/rotate-secret`, { body: { secret, overlapSeconds: 60 } });
    t.equal((await rotate('not-of-the-scheme')).status, 400);
    t.equal((await rotate(NEW_SECRET)).status, 200);
    t.equal((await post('msg_old', { type: 'x' })).status, 200);
    t.equal((await post('msg_new', { type: 'x' }, { secret: NEW_SECRET })).status, 200);
  });

  await t.test(
    'what is signed but no event, or comes while disabled, is kept; the latter can be replayed',
    async (t) => {
      t.equal((await post('msg_3', '[1]')).status, 400);
      await call('PATCH', `/api/v1/sources/${source.id}`, { body: { status: 'disabled' } });
      t.equal((await post('msg_4', { type: 'late' })).status, 200);
      await call('PATCH', `/api/v1/sources/${source.id}`, { body: { status: 'active' } });
      const { events: kept } = (await call('GET', '/api/v1/unrouted-events')).body.data as unknown as {
        events: { id: string; reason: string }[];
      };
      t.same(kept.map(({ reason }) => reason).toSorted(), ['not-an-object', 'source-disabled']);
      const late = kept.find(({ reason }) => reason === 'source-disabled');
      t.match(await call('POST', `/api/v1/unrouted-events/${late?.id}/replay`), {
        body: { data: { accepted: 1 } },
      });
      t.equal((await post('msg_4', { type: 'late' })).status, 200);
      t.equal(
        (await events()).filter(({ type }) => type === 'late').length,
        1,
        'the sender’s own retry is a repeat',
      );
    },
  );

  await t.test('an app is removed once no source belongs to it', async (t) => {
    const remove = (path: string) => call('DELETE', path);
    t.match(await remove(`/api/v1/apps/${appId}`), { status: 409, body: { error: { code: 'APP_IN_USE' } } });
    t.equal((await remove(`/api/v1/sources/${source.id}`)).status, 200);
    t.equal((await remove(`/api/v1/apps/${appId}`)).status, 200);
    t.equal((await remove(`/api/v1/apps/${appId}`)).status, 404);
    t.equal((await remove('/api/v1/apps/app_environment')).status, 409);
    t.equal((await post('msg_5', { type: 'x' })).status, 404);
  });

  await t.test('alerts become notifications, once per state; only with the token', async (t) => {
    const alert = (payload: unknown, token = ALERTMANAGER_TOKEN) =>
      call('POST', '/webhooks/alertmanager', { body: payload, key: token });
    for (let round = 0; round < 2; round++) t.equal((await alert(alertsWebhook)).status, 200);
    const told = await jobsIn(ingress, 'notifications', 'send-notification');
    t.same(told.map(({ title }) => title).toSorted(), [
      'RedisMemoryHigh: Redis is nearly full',
      'Resolved: QueueDepth',
    ]);
    t.equal((await alert(alertsWebhook, 'another-token')).status, 401);
    t.equal((await alert(alertsWebhook, '')).status, 401);
    t.equal((await alert({ no: 'alerts' })).status, 400);
  });
});

eachDatabase(t, 'ENCRYPTION_KEYS rotate', async (t, database) => {
  const redis = await startRedis(t);
  const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');
  const start = (keys: string) => startIngress(t, environmentOf(redis, database, { ENCRYPTION_KEYS: keys }));
  const one = await start(`old:${key(1)}`);
  const app = { kind: 'shopify', name: 'Own', secret: 'first-secret' };
  const { id } = (await one.call('POST', '/api/v1/apps', { body: app })).body.data as unknown as {
    id: string;
  };
  await one.call('POST', `/api/v1/apps/${id}/rotate-secret`, { body: { secret: 'second-secret' } });
  await one.runtime.close();
  const two = await start(`new:${key(2)},old:${key(1)}`);
  const row = await two.runtime.database.db
    .selectFrom('apps')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
  t.match(row?.sealedSecret, /^v1\.new\./);
  t.match(row?.sealedPreviousSecret, /^v1\.new\./);
  await two.runtime.close();
  const three = await start(`new:${key(2)}`);
  for (const secret of ['first-secret', 'second-secret'])
    t.equal(
      (await three.shopify({}, { secret, headers: { 'x-shopify-shop-domain': 'unknown.myshopify.com' } }))
        .status,
      200,
      'without the old key, both secrets still open',
    );
});
