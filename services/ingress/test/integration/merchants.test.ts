import { eachDatabase, startRedis, until } from '@switchyard/test-kit';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import t from 'tap';
import { NUMBER, OTHER_NUMBER, textWebhook, webhook } from '../fixtures/payloads.ts';
import { API_KEY, environmentOf, jobsIn, SECRET, startIngress } from '../ingress.ts';

const OWN_SECRET = 'secret-of-the-second-merchant';

eachDatabase(t, 'merchants, keys and sources', async (t, database) => {
  const redis = await startRedis(t);
  const environment = environmentOf(redis, database);
  const ingress = await startIngress(t, environment);
  const { call, webhook: post } = ingress;
  const as = (merchant: string) => ({ headers: { 'x-merchant-id': merchant } });
  let key = '';
  let keyId = '';
  let token = '';
  let appId = '';

  await t.test(
    'the environment’s merchant, app and number exist at start, and again at the next',
    async (t) => {
      const sources = (await call('GET', '/api/v1/sources')).body.data;
      t.match(sources, [
        { merchantId: 'default', sourceKey: NUMBER, managedBy: 'environment', status: 'active' },
      ]);
      t.match((await call('GET', '/api/v1/merchants')).body.data, [{ id: 'default' }]);
      const answer = await call('POST', '/api/v1/apps/app_environment/rotate-secret', {
        body: { secret: 'another-one' },
      });
      t.match(answer, { status: 409, body: { error: { code: 'MANAGED_BY_ENVIRONMENT' } } });
    },
  );

  await t.test(
    'a key is shown once, kept as a hash, and exchanged for a token that every service can check',
    async (t) => {
      t.equal(
        (await call('POST', '/api/v1/merchants', { body: { id: 'shop2', name: 'Second' } })).status,
        201,
      );
      t.equal(
        (await call('POST', '/api/v1/merchants', { body: { id: 'shop2', name: 'Again' } })).status,
        409,
      );
      const created = await call('POST', '/api/v1/api-keys', {
        body: { name: 'ci', scopes: ['*'] },
        ...as('shop2'),
      });
      t.equal(created.status, 201);
      const data = created.body.data as unknown as { key: string; apiKey: { id: string } };
      key = data.key;
      keyId = data.apiKey.id;
      t.match(key, /^sk_[\w-]{43}$/);
      t.notOk((await call('GET', '/api/v1/api-keys', as('shop2'))).text.includes(key));
      const rows = await ingress.runtime.database.db.selectFrom('api_keys').selectAll().execute();
      t.notOk(JSON.stringify(rows).includes(key));

      const exchanged = await call('POST', '/api/v1/tokens', { body: { apiKey: key }, key: '' });
      t.match(exchanged, { status: 201, body: { data: { merchantId: 'shop2', tokenType: 'Bearer' } } });
      token = (exchanged.body.data as unknown as { token: string }).token;
      const jwks = JSON.parse(
        (await call('GET', '/.well-known/jwks.json', { key: '' })).text,
      ) as JSONWebKeySet;
      const { payload } = await jwtVerify(token, createLocalJWKSet(jwks));
      t.match(payload, { merchantId: 'shop2', scopes: ['*'], sub: keyId });
      t.match(await call('POST', '/api/v1/tokens', { body: { apiKey: API_KEY }, key: '' }), {
        status: 201,
        body: { data: { merchantId: 'default' } },
      });
      t.match(await call('POST', '/api/v1/tokens', { body: { apiKey: `${key}x` }, key: '' }), {
        status: 401,
        body: { error: { code: 'API_KEY_INVALID' } },
      });
    },
  );

  await t.test('a key gives no more than its maker holds, and never reaches another merchant', async (t) => {
    t.equal((await call('GET', '/api/v1/merchants', { key: token })).status, 403);
    t.equal((await call('GET', '/api/v1/unrouted-events', { key: token })).status, 403);
    t.equal((await call('GET', '/api/v1/sources', { key: token, ...as('default') })).status, 403);
    t.same((await call('GET', '/api/v1/sources', { key: token })).body.data, []);
    const grant = (scopes: string[], holder: string) =>
      call('POST', '/api/v1/api-keys', { body: { name: 'x', scopes }, key: holder });
    t.match(await grant(['admin'], token), { status: 403, body: { error: { code: 'SCOPE_NOT_HELD' } } });
    const narrow = (await grant(['api-keys:write', 'messages:write'], token)).body.data as unknown as {
      key: string;
    };
    const exchanged = await call('POST', '/api/v1/tokens', { body: { apiKey: narrow.key }, key: '' });
    const narrowToken = (exchanged.body.data as unknown as { token: string }).token;
    t.equal((await grant(['messages:write'], narrowToken)).status, 201);
    t.equal((await grant(['contacts:write'], narrowToken)).status, 403);
    t.equal((await grant(['*'], narrowToken)).status, 403);
    t.equal((await call('GET', '/api/v1/sources', { key: narrowToken })).status, 403);
    t.equal(
      (await call('POST', '/api/v1/api-keys', { body: { name: 'x', scopes: ['admin'] }, ...as('shop2') }))
        .status,
      403,
    );
  });

  await t.test('a merchant connects its own app and number', async (t) => {
    const app = await call('POST', '/api/v1/apps', {
      body: { kind: 'whatsapp', name: 'Own', secret: OWN_SECRET, verifyToken: 'own-verify-token' },
      key: token,
    });
    appId = (app.body.data as unknown as { id: string }).id;
    t.notOk(app.text.includes(OWN_SECRET));
    const create = (body: object) =>
      call('POST', '/api/v1/sources', { body: { kind: 'whatsapp', ...body }, key: token });
    t.equal(
      (await create({ sourceKey: OTHER_NUMBER, appId: 'app_environment' })).status,
      404,
      'not under another’s app',
    );
    t.match(await create({ sourceKey: NUMBER, appId }), {
      status: 409,
      body: { error: { code: 'SOURCE_TAKEN' } },
    });
    t.match(
      await create({ sourceKey: '1', accountKey: '102290129340398', appId }),
      { status: 409 },
      'another’s account',
    );
    t.equal((await create({ sourceKey: OTHER_NUMBER, accountKey: '77', appId })).status, 201);
    t.equal((await post(textWebhook('second', {}, OTHER_NUMBER), { secret: OWN_SECRET })).status, 200);
    const [job] = (await jobsIn(ingress, 'inbound', 'receive-message')).filter(
      (each) => each.message.id === 'second',
    );
    t.equal(job?.merchantId, 'shop2');
    const rows = await ingress.runtime.database.db.selectFrom('apps').selectAll().execute();
    t.notOk(JSON.stringify(rows).includes(OWN_SECRET), 'sealed');
  });

  await t.test(
    'an event signed by one app for a number of another is refused whole, and changes nothing',
    async (t) => {
      const before = (await jobsIn(ingress, 'inbound', 'receive-message')).length;
      const refused = { status: 403, body: { error: { code: 'SOURCE_OF_ANOTHER_APP' } } };
      t.match(await post(textWebhook('stolen', {}, OTHER_NUMBER), { secret: SECRET }), refused);
      t.match(await post(textWebhook('stolen', {}, NUMBER), { secret: OWN_SECRET }), refused);
      t.match(
        await post(webhook({ field: 'account_update', value: { a: 1 } }), { secret: OWN_SECRET }),
        refused,
      );
      t.equal((await jobsIn(ingress, 'inbound', 'receive-message')).length, before);
      t.equal(
        (await post(textWebhook('stolen', {}, OTHER_NUMBER), { secret: OWN_SECRET })).status,
        200,
        'its owner’s is no repeat',
      );
    },
  );

  await t.test(
    'a secret is rotated without a gap: both are good for a while, then only the new one',
    async (t) => {
      const rotate = (secret: string, overlapSeconds: number) =>
        call('POST', `/api/v1/apps/${appId}/rotate-secret`, { body: { secret, overlapSeconds }, key: token });
      const status = async (id: string, secret: string) =>
        (await post(textWebhook(id, {}, OTHER_NUMBER), { secret })).status;
      t.equal((await rotate('new-secret-1', 3600)).status, 200);
      t.equal(await status('rot-1', OWN_SECRET), 200);
      t.equal(await status('rot-2', 'new-secret-1'), 200);
      t.equal((await rotate('new-secret-2', 0)).status, 200);
      t.equal(await status('rot-3', 'new-secret-1'), 401);
      t.equal(await status('rot-4', OWN_SECRET), 401);
      t.equal(await status('rot-5', 'new-secret-2'), 200);
    },
  );

  await t.test('an app whose secret can’t be opened stops only itself', async (t) => {
    const { db } = ingress.runtime.database;
    await call('POST', '/api/v1/apps', {
      body: { kind: 'whatsapp', name: 'broken', secret: 'broken-secret' },
    });
    await db.updateTable('apps').set({ sealedSecret: 'v1.gone.AAAA' }).where('name', '=', 'broken').execute();
    t.equal((await post(textWebhook('beside-broken'))).status, 200);
    t.ok(ingress.lines.some(({ msg }) => msg.includes("can't be opened")));
    await db.deleteFrom('apps').where('name', '=', 'broken').execute();
  });

  await t.test('a revoked key is exchanged for nothing', async (t) => {
    t.equal((await call('DELETE', `/api/v1/api-keys/${keyId}`, { key: token })).status, 200);
    t.equal((await call('POST', '/api/v1/tokens', { body: { apiKey: key }, key: '' })).status, 401);
    t.equal((await call('DELETE', '/api/v1/api-keys/nothing', { key: token })).status, 404);
  });

  await t.test(
    'control jobs: subscriptions, an erasure and its acknowledgement, a source to stop; each may come twice',
    async (t) => {
      const { producer, database: store } = ingress.runtime;
      for (let round = 0; round < 2; round++) {
        const options = { jobId: `twice-${round}` };
        await producer.add({
          queue: 'control',
          name: 'set-subscriptions',
          payload: { merchantId: 'shop2', version: 2 - round, eventTypes: [`v${2 - round}`] },
        });
        const identifiers = [{ kind: 'phone', value: '+15551234567' }];
        await producer.add({
          queue: 'control',
          name: 'erase-person',
          options: { jobId: `erase-${round}` },
          payload: { merchantId: 'shop2', erasureId: 'era_1', identifiers, requestedAtMs: 1 },
        });
        await producer.add({
          queue: 'control',
          name: 'acknowledge-erasure',
          options: { jobId: `ack-${round}` },
          payload: {
            merchantId: 'shop2',
            erasureId: 'era_1',
            owner: 'flow-engine',
            erasedRecords: 3,
            completedAtMs: 2,
          },
        });
        await producer.add({
          queue: 'control',
          name: 'stop-source',
          options,
          payload: { merchantId: 'shop2', sourceKind: 'whatsapp', sourceKey: OTHER_NUMBER, reason: 'closed' },
        });
      }
      await until(async () => (await producer.queue('control').getCompletedCount()) === 8, {
        what: 'all control jobs done',
      });
      t.match(await store.db.selectFrom('subscriptions').selectAll().execute(), [
        { merchantId: 'shop2', version: 2, eventTypes: '["v2"]' },
      ]);
      t.same(
        await until(async () => {
          const passedOn = await jobsIn(ingress, 'contacts', 'set-subscriptions');
          return passedOn.length > 0 && passedOn;
        }),
        [{ merchantId: 'shop2', version: 2, eventTypes: ['v2'] }],
        'passed on to who publishes events; an older version is not',
      );
      const erasures = await store.db.selectFrom('erasures').selectAll().execute();
      t.equal(erasures.length, 1);
      t.notOk(JSON.stringify(erasures).includes('15551234567'), 'sealed');
      t.match(await store.db.selectFrom('erasure_acknowledgements').selectAll().execute(), [
        { owner: 'flow-engine', erasedRecords: 3 },
      ]);
      t.match((await call('GET', '/api/v1/sources', as('shop2'))).body.data, [
        { status: 'disabled', statusReason: 'closed' },
      ]);
    },
  );

  await t.test('a session is shown outside production', async (t) => {
    const session = { status: 'active', messages: [{ role: 'user', content: 'hi' }], updatedAt: 1 };
    await ingress.runtime.redis.cache.set('wh:session:+15550001111', JSON.stringify(session), 'EX', 60);
    t.match(await call('GET', '/api/health', { key: '' }), {
      status: 200,
      body: { data: { redis: { connected: true }, sessions: { count: 1 } } },
    });
    t.match(await call('POST', '/api/health', { key: '', body: { phone: '+15550001111' } }), {
      status: 200,
      body: { data: { session } },
    });
    t.equal((await call('POST', '/api/health', { key: '', body: { phone: '+1999' } })).status, 404);
  });
});
