import { checkPayload } from '@switchyard/jobs';
import t from 'tap';
import { readCompliance, toComplianceJob } from '../../src/privacy/read-compliance.ts';
import { SHOP } from '../fixtures/shopify.ts';

const customer = { id: 191167, email: 'ana@example.com', phone: '+15551234567' };
const read = (topic: string, body: object, shop = SHOP) =>
  readCompliance(topic, shop, Buffer.from(JSON.stringify(body)));

t.test('the three topics become jobs of control, as one can read here', async (t) => {
  const context = { id: 'evt_1', merchantId: 'mer_1', shopDomain: SHOP, receivedAtMs: 1000, meta: {} };
  const jobOf = (topic: string, body: object) => {
    const compliance = read(topic, { shop_id: 1, shop_domain: SHOP, ...body });
    if (typeof compliance === 'string') throw new Error(compliance);
    const job = toComplianceJob(compliance, context);
    checkPayload(job.queue, job.name, job.payload);
    t.match(job.options, { jobId: 'evt_1', removeOnComplete: true });
    return `${job.queue}/${job.name} ${JSON.stringify(job.payload)}`;
  };
  const person =
    '"identifiers":[{"kind":"shopify_customer_id","value":"191167"},{"kind":"email","value":"ana@example.com"},{"kind":"phone","value":"+15551234567"}]';
  const key = '7d4e5a76eae6d8c165410ac19fe67565';
  t.equal(
    jobOf('customers/data_request', { customer, orders_requested: [1], data_request: { id: 9 } }),
    `control/request-person-data {"merchantId":"mer_1","requestId":"dre_${key}",${person},"requestedAtMs":1000}`,
  );
  t.equal(
    jobOf('customers/redact', { customer, orders_to_redact: [1] }),
    `control/erase-person {"merchantId":"mer_1","erasureId":"era_${key}",${person},"requestedAtMs":1000}`,
  );
  t.equal(
    jobOf('shop/redact', {}),
    `control/erase-shop {"merchantId":"mer_1","erasureId":"era_${key}","shopDomain":"first-shop.myshopify.com","requestedAtMs":1000}`,
  );
});

t.test('a request whose signed body names another shop than the header is not carried out', async (t) => {
  t.equal(read('shop/redact', { shop_domain: 'other.myshopify.com' }), 'shop-mismatch');
  t.equal(read('shop/redact', {}), 'shop-mismatch');
});

t.test('a person without any identifier can’t be found', async (t) => {
  t.equal(
    read('customers/redact', { shop_domain: SHOP, customer: { email: '', phone: null } }),
    'no-identifiers',
  );
});
