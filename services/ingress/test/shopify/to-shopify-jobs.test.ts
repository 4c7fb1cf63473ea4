import { checkPayload } from '@switchyard/jobs';
import fc from 'fast-check';
import t from 'tap';
import { readShopifyHeaders } from '../../src/shopify/read-shopify-headers.ts';
import { idOfDelivery, toShopifyJobs } from '../../src/shopify/to-shopify-jobs.ts';
import { ORDER, SHOP, shopifyHeaders } from '../fixtures/shopify.ts';

const RECEIVED_MS = 1_763_654_001_000;

function jobsOf(headers: Record<string, string>, body = ORDER) {
  const about = readShopifyHeaders(headers)!;
  const id = idOfDelivery(about);
  const jobs = toShopifyJobs(about, body, { id, merchantId: 'mer_1', receivedAtMs: RECEIVED_MS, meta: {} });
  for (const { queue, name, payload } of jobs) checkPayload(queue, name, payload);
  return jobs;
}

t.test('an order becomes one inbound job, as one can read here', async (t) => {
  t.same(jobsOf(shopifyHeaders), [
    {
      queue: 'inbound',
      name: 'receive-shopify-event',
      payload: {
        merchantId: 'mer_1',
        eventId: 'evt_4lF_LPP24PusVW9g6WNI8k1Ob7E',
        topic: 'orders/create',
        shopDomain: 'first-shop.myshopify.com',
        webhookId: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
        correlationEventId: '98880550-7158-44d4-b7cd-2c97c8a091b5',
        apiVersion: '2026-10',
        triggeredAtMs: 1_763_654_000_123,
        receivedAtMs: RECEIVED_MS,
        body: ORDER,
      },
      options: { jobId: 'evt_4lF_LPP24PusVW9g6WNI8k1Ob7E', deduplicationTtlMs: 900_000 },
      meta: { merchantId: 'mer_1' },
    },
  ]);
  t.match(ORDER, '"id":820982911946154508', 'the body stays text, so its ids stay whole');
});

t.test('an uninstalled app becomes an event, and the word to stop the shop', async (t) => {
  const jobs = jobsOf({ ...shopifyHeaders, 'x-shopify-topic': 'app/uninstalled' }, '{}');
  t.match(jobs, [
    { queue: 'inbound', payload: { topic: 'app/uninstalled' } },
    {
      queue: 'control',
      name: 'stop-source',
      payload: { merchantId: 'mer_1', sourceKind: 'shopify', sourceKey: SHOP, reason: 'app/uninstalled' },
    },
  ]);
});

t.test('the delivery’s id tells deliveries apart, the event’s id does not', async (t) => {
  const idOf = (over: Record<string, string>) => jobsOf({ ...shopifyHeaders, ...over })[0]?.options?.jobId;
  t.equal(idOf({ 'x-shopify-event-id': 'another' }), idOf({}));
  t.not(idOf({ 'x-shopify-webhook-id': 'another' }), idOf({}));
  t.not(idOf({ 'x-shopify-shop-domain': 'x.myshopify.com' }), idOf({}), 'another shop’s is no repeat');
});

t.test('headers without the X-, in any case of letters, and without the optional ones', async (t) => {
  t.same(
    readShopifyHeaders({
      'shopify-topic': 'Orders/Paid',
      'shopify-shop-domain': 'First-Shop.MyShopify.com',
      'shopify-webhook-id': 'w-1',
    }),
    { topic: 'orders/paid', shopDomain: SHOP, webhookId: 'w-1' },
  );
  for (const missing of ['x-shopify-topic', 'x-shopify-shop-domain', 'x-shopify-webhook-id'])
    t.equal(readShopifyHeaders({ ...shopifyHeaders, [missing]: undefined }), undefined, missing);
  t.equal(
    readShopifyHeaders({ ...shopifyHeaders, 'x-shopify-triggered-at': 'yesterday' })?.triggeredAtMs,
    undefined,
  );
});

t.test('property: headers of any text are none, or make jobs that the contract takes', async (t) => {
  const text = fc.string({ maxLength: 300, unit: 'binary' });
  const headers = fc.record({
    'x-shopify-topic': fc.oneof(text, fc.constant('orders/create')),
    'x-shopify-shop-domain': fc.oneof(text, fc.constant(SHOP)),
    'x-shopify-webhook-id': text,
    'x-shopify-event-id': text,
    'x-shopify-triggered-at': fc.oneof(
      text,
      fc.date({ noInvalidDate: true }).map((d) => d.toISOString()),
    ),
  });
  fc.assert(
    fc.property(headers, (each) => {
      if (readShopifyHeaders(each)) jobsOf(each);
    }),
  );
  t.pass();
});
