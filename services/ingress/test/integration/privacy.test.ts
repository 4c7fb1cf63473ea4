import type { JobToAdd } from '@switchyard/jobs';
import { eachDatabase, startRedis, until } from '@switchyard/test-kit';
import t from 'tap';
import { message, messagesChange, textWebhook, webhook } from '../fixtures/payloads.ts';
import { ORDER, SHOP } from '../fixtures/shopify.ts';
import { environmentOf, jobsIn, startIngress } from '../ingress.ts';

const customer = { id: 191167, email: 'ana@example.com', phone: '+15551234567' };

interface Erasure {
  id: string;
  kind: string;
  pendingOwners: string[];
  acknowledgements: { owner: string; erasedRecords: number }[];
}

eachDatabase(t, 'what the law asks for', async (t, database) => {
  const redis = await startRedis(t);
  const ingress = await startIngress(t, environmentOf(redis, database));
  const { call, webhook: post, shopify, runtime } = ingress;
  const erasures = async () => (await call('GET', '/api/v1/erasures')).body.data as unknown as Erasure[];
  const archive = async () =>
    (await call('GET', '/api/v1/archive')).body.data as unknown as { entries: number };
  const ask = (topic: string, id: string, body: object) =>
    shopify(
      { shop_id: 1, shop_domain: SHOP, ...body },
      { headers: { 'x-shopify-topic': topic, 'x-shopify-webhook-id': id } },
    );
  const other = { from: '15559999999', from_user_id: 'US.9' };
  const theirs = messagesChange({ messages: [message('text', { id: 'other', ...other })] });

  await t.test('an export holds what is archived of the person, and what the owners provide', async (t) => {
    t.equal((await post(textWebhook('mine'))).status, 200);
    t.equal((await post(webhook(theirs))).status, 200);
    t.equal((await shopify(ORDER)).status, 200);
    await until(async () => (await archive()).entries === 3, { what: 'all is archived' });
    const request = { customer, orders_requested: [], data_request: { id: 1 } };
    for (let round = 0; round < 2; round++)
      t.equal((await ask('customers/data_request', 'c-1', request)).status, 200);
    const listed = await until(
      async () => {
        const { data } = (await call('GET', '/api/v1/data-requests')).body;
        const [first] = data as unknown as { id: string; pendingOwners: string[] }[];
        return first;
      },
      { what: 'the request is recorded' },
    );
    t.same(listed.pendingOwners, ['campaign-sender']);
    t.match(await jobsIn(ingress, 'contacts', 'export-person'), [{ requestId: listed.id }]);
    const provided: JobToAdd = {
      queue: 'control',
      name: 'provide-person-data',
      payload: {
        merchantId: 'default',
        requestId: listed.id,
        owner: 'campaign-sender',
        data: { contacts: [{ name: 'Ana' }] },
        completedAtMs: 1,
      },
    };
    await runtime.producer.add(provided);
    const whole = await until(
      async () => {
        const { data } = (await call('GET', `/api/v1/data-requests/${listed.id}/export`)).body;
        const found = data as unknown as {
          pendingOwners: string[];
          data: { ingress: { webhooks: { body: string }[] } };
        };
        return found.pendingOwners.length === 0 ? found : undefined;
      },
      { what: 'the export is complete' },
    );
    t.match(whole, { data: { 'campaign-sender': { contacts: [{ name: 'Ana' }] } } });
    t.equal(whole.data.ingress.webhooks.length, 1);
    t.match(whole.data.ingress.webhooks[0]?.body, '"mine"');
    const rows = await runtime.database.db.selectFrom('data_requests').selectAll().execute();
    t.notOk(JSON.stringify(rows).includes('ana@example.com'), 'sealed');
    t.equal((await call('GET', '/api/v1/data-requests/none/export')).status, 404);
  });

  await t.test(
    'an erasure reaches the archive, the unrouted events and every owner, and is recorded',
    async (t) => {
      t.equal(
        (await post(webhook(messagesChange({ messages: [{ no: 'id', from: '15551234567' }] })))).status,
        200,
      );
      const unrouted = async () =>
        (await runtime.database.db.selectFrom('unrouted_events').selectAll().execute()).length;
      t.equal(await unrouted(), 1);
      const payload = { merchantId: 'default', of: '15551234567' };
      await runtime.producer.queue('control').add('stop-source', { v: 1, payload }, { jobId: 'bad' });
      const failed = async () => (await runtime.failedJobs.list()).items.length;
      await until(async () => (await failed()) === 1, { what: 'a job fails for good' });
      t.equal((await ask('customers/redact', 'c-2', { customer, orders_to_redact: [] })).status, 200);
      const done = await until(
        async () => (await erasures()).find(({ pendingOwners }) => !pendingOwners.includes('ingress')),
        { what: 'ingress has done its part', timeoutMs: 20_000 },
      );
      t.match(done.acknowledgements, [{ owner: 'ingress', erasedRecords: 3 }]);
      t.equal(await failed(), 0);
      t.equal((await archive()).entries, 2, 'others’ webhooks stay');
      t.equal(await unrouted(), 0);
      t.match(await jobsIn(ingress, 'contacts', 'erase-person'), [{ erasureId: done.id }]);
      t.same(
        await jobsIn(ingress, 'inbound', 'receive-shopify-event').then((jobs) =>
          jobs.map(({ topic }) => topic),
        ),
        ['orders/create'],
      );
      const sealed = async () =>
        (
          await runtime.database.db
            .selectFrom('erasures')
            .selectAll()
            .where('id', '=', done.id)
            .executeTakeFirst()
        )?.sealedIdentifiers;
      const before = await sealed();
      for (const owner of done.pendingOwners)
        await runtime.producer.add({
          queue: 'control',
          name: 'acknowledge-erasure',
          payload: { merchantId: 'default', erasureId: done.id, owner, erasedRecords: 1, completedAtMs: 2 },
        });
      await until(async () => (await sealed()) !== before, { what: 'the identifiers are forgotten' });
      t.match(await erasures(), [{ id: done.id, kind: 'person', pendingOwners: [] }]);
      const opened = runtime.secretBox.open((await sealed()) ?? '', `ingress.erasures:${done.id}`);
      t.equal(opened, '[]');
    },
  );

  await t.test(
    'a shop that has left is erased too; a request for another shop is kept, not carried out',
    async (t) => {
      t.equal((await ask('app/uninstalled', 'c-3', {})).status, 200);
      const status = async () => {
        const { data } = (await call('GET', '/api/v1/sources')).body;
        return (data as unknown as { sourceKey: string; status: string }[]).find(
          ({ sourceKey }) => sourceKey === SHOP,
        )?.status;
      };
      await until(async () => (await status()) === 'disabled', { what: 'the shop is stopped' });
      t.equal((await ask('shop/redact', 'c-4', {})).status, 200);
      const done = await until(
        async () =>
          (await erasures()).find(
            ({ kind, pendingOwners }) => kind === 'shop' && !pendingOwners.includes('ingress'),
          ),
        { what: 'ingress has done its part', timeoutMs: 20_000 },
      );
      t.same(done.pendingOwners, ['campaign-sender']);
      t.equal((await archive()).entries, 1, 'the shop’s are gone');
      t.equal((await ask('shop/redact', 'c-5', { shop_domain: 'other.myshopify.com' })).status, 200);
      const { events } = (await call('GET', '/api/v1/unrouted-events?reason=shop-mismatch')).body.data;
      t.equal((events as unknown as unknown[]).length, 1);
      t.equal((await erasures()).length, 2);
    },
  );

  await t.test('a merchant can ask for it by the API', async (t) => {
    const body = { identifiers: [{ kind: 'phone', value: '+15559999999' }] };
    t.equal((await call('POST', '/api/v1/erasures', { body })).status, 201);
    t.equal((await erasures()).length, 3);
    t.equal((await call('POST', '/api/v1/data-requests', { body })).status, 201);
    t.equal((await call('POST', '/api/v1/erasures', { body: { identifiers: [] } })).status, 400);
  });
});
