import { eachDatabase, startRedis, until } from '@switchyard/test-kit';
import t from 'tap';
import { ORDER, OTHER_SHOP, SHOP } from '../fixtures/shopify.ts';
import { environmentOf, jobsIn, SHOP_SECRET, startIngress } from '../ingress.ts';

const OWN_SECRET = 'shpss_secret-of-another-app';

eachDatabase(t, 'the Shopify webhook', async (t, database) => {
  const redis = await startRedis(t);
  const environment = environmentOf(redis, database);
  const ingress = await startIngress(t, environment);
  const { call, shopify } = ingress;
  const delivery = (id: string, over: Record<string, string> = {}) => ({
    headers: { 'x-shopify-webhook-id': id, ...over },
  });
  const events = () => jobsIn(ingress, 'inbound', 'receive-shopify-event');
  const sourceOf = async (sourceKey: string) => {
    const { data } = (await call('GET', '/api/v1/sources')).body;
    return (data as unknown as { id: string; sourceKey: string }[]).find(
      (each) => each.sourceKey === sourceKey,
    );
  };

  await t.test('the environment’s shop takes any topic; the body arrives byte for byte', async (t) => {
    t.match(await sourceOf(SHOP), { kind: 'shopify', managedBy: 'environment', status: 'active' });
    t.match(await shopify(ORDER, delivery('d-1')), { status: 200, text: '{"success":true}' });
    t.equal(
      (await shopify({ a: 1 }, delivery('d-2', { 'x-shopify-topic': 'a_topic/of_tomorrow' }))).status,
      200,
    );
    t.match(
      (await events()).toSorted((a, b) => (a.webhookId < b.webhookId ? -1 : 1)),
      [
        { merchantId: 'default', topic: 'orders/create', body: ORDER, triggeredAtMs: 1_763_654_000_123 },
        { topic: 'a_topic/of_tomorrow' },
      ],
    );
  });

  await t.test('a repeat of a delivery is queued once, also 50 at a time', async (t) => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => shopify(ORDER, delivery('d-fifty'))));
    t.ok(answers.every(({ status }) => status === 200));
    t.equal(
      (await shopify(ORDER, delivery('d-fifty'))).status,
      200,
      'a retry, and an old request sent again',
    );
    t.equal((await events()).filter(({ webhookId }) => webhookId === 'd-fifty').length, 1);
  });

  await t.test(
    'a signature that is missing, malformed or wrong gets 401, and nothing is queued',
    async (t) => {
      const before = (await events()).length;
      for (const signature of ['', 'x', 'a'.repeat(44), `${'A'.repeat(43)}=`])
        t.match(await shopify(ORDER, { signature, ...delivery('d-forged') }), {
          status: 401,
          body: { error: { code: 'SIGNATURE_INVALID' } },
        });
      t.equal((await shopify(ORDER, { secret: OWN_SECRET, ...delivery('d-forged') })).status, 401);
      t.equal((await events()).length, before);
    },
  );

  await t.test(
    'a known shop under another app is refused; an unknown one is kept, and replayed',
    async (t) => {
      const app = await call('POST', '/api/v1/apps', {
        body: { kind: 'shopify', name: 'Another', secret: OWN_SECRET },
      });
      const appId = (app.body.data as unknown as { id: string }).id;
      t.match(await shopify(ORDER, { secret: OWN_SECRET, ...delivery('d-stolen') }), {
        status: 403,
        body: { error: { code: 'SOURCE_OF_ANOTHER_APP' } },
      });
      const shop = { 'x-shopify-shop-domain': OTHER_SHOP };
      t.equal((await shopify(ORDER, { secret: OWN_SECRET, ...delivery('d-early', shop) })).status, 200);
      const listed = (await call('GET', '/api/v1/unrouted-events?reason=source-unknown')).body.data;
      const [kept] = listed.events as unknown as { id: string }[];
      t.match(kept, { kind: 'shopify', sourceKey: OTHER_SHOP, field: 'orders/create' });
      const whole = (await call('GET', `/api/v1/unrouted-events/${kept?.id}`)).body.data;
      t.match(whole, { body: ORDER, headers: { 'x-shopify-webhook-id': 'd-early' } });
      t.notOk(JSON.stringify(whole).includes('hmac'), 'without the signature');
      t.equal(
        (await call('POST', '/api/v1/sources', { body: { kind: 'whatsapp', sourceKey: '99', appId } }))
          .status,
        409,
        'a number does not fit an app of Shopify',
      );
      t.equal(
        (await call('POST', '/api/v1/sources', { body: { kind: 'shopify', sourceKey: OTHER_SHOP, appId } }))
          .status,
        201,
      );
      for (const accepted of [1, 0])
        t.match(await call('POST', `/api/v1/unrouted-events/${kept?.id}/replay`), {
          status: 200,
          body: { data: { accepted } },
        });
      t.equal((await events()).filter(({ webhookId }) => webhookId === 'd-early').length, 1);
    },
  );

  await t.test('what is signed but no webhook gets 400, and is kept', async (t) => {
    t.match(await shopify('{"a":', delivery('d-bad')), {
      status: 400,
      body: { error: { code: 'PAYLOAD_MALFORMED' } },
    });
    t.equal((await shopify(Buffer.from([0x7b, 0xff]), delivery('d-bad'))).status, 400);
    t.equal((await shopify(ORDER, delivery('d-bad', { 'x-shopify-topic': 'not a topic' }))).status, 400);
    const { events: kept } = (await call('GET', '/api/v1/unrouted-events?replayed=false')).body.data;
    t.same((kept as unknown as { reason: string }[]).map(({ reason }) => reason).toSorted(), [
      'headers-malformed',
      'not-json',
      'not-utf8',
    ]);
  });

  await t.test('app/uninstalled stops the shop: what comes after it is kept', async (t) => {
    t.equal((await shopify('{}', delivery('d-left', { 'x-shopify-topic': 'app/uninstalled' }))).status, 200);
    await until(
      async () => ((await sourceOf(SHOP)) as { status?: string } | undefined)?.status === 'disabled',
      {
        what: 'the shop is stopped',
      },
    );
    t.match(await sourceOf(SHOP), { statusReason: 'app/uninstalled' });
    const told = await until(
      async () => {
        const jobs = await jobsIn(ingress, 'flows', 'stop-source');
        return jobs.length > 0 && jobs;
      },
      { what: 'flow-engine to be told' },
    );
    t.match(told, [
      { merchantId: 'default', sourceKind: 'shopify', sourceKey: SHOP, reason: 'app/uninstalled' },
    ]);
    t.equal((await shopify(ORDER, delivery('d-after'))).status, 200);
    t.equal((await events()).filter(({ webhookId }) => webhookId === 'd-after').length, 0);
  });

  await t.test('metrics count by source; no log line holds a body or a secret', async (t) => {
    const metrics = (await call('GET', '/metrics')).text;
    t.match(metrics, /ingress_events_total\{[^}]*source="shopify",outcome="accepted"/);
    t.match(metrics, /ingress_provider_lag_seconds_count\{[^}]*source="shopify"/);
    const log = JSON.stringify(ingress.lines);
    for (const secret of [SHOP_SECRET, OWN_SECRET, 'Café cup']) t.notOk(log.includes(secret), secret);
  });

  await t.test(
    'a source that the environment no longer names is disabled, and comes back when it does',
    async (t) => {
      await ingress.runtime.close();
      const { SHOPIFY_SHOP_DOMAIN: _shop, SHOPIFY_API_SECRET: _secret, ...without } = environment;
      const other = await startIngress(t, { ...without, WHATSAPP_PHONE_NUMBER_ID: '4711' });
      const list = async (from: typeof other) => {
        const { data } = (await from.call('GET', '/api/v1/sources')).body;
        return Object.fromEntries(
          (data as unknown as { sourceKey: string; status: string; statusReason: string }[]).map((each) => [
            each.sourceKey,
            `${each.status}: ${each.statusReason}`,
          ]),
        );
      };
      t.same(await list(other), {
        '106540352242922': 'disabled: the environment no longer names it',
        [SHOP]: 'disabled: app/uninstalled',
        [OTHER_SHOP]: 'active: null',
        '4711': 'active: null',
      });
      await other.runtime.close();
      const again = await startIngress(t, environment);
      t.match(await list(again), {
        '106540352242922': 'active: null',
        [SHOP]: 'disabled: app/uninstalled',
        '4711': 'disabled: the environment no longer names it',
      });
    },
  );
});
