import { createHmac, randomUUID } from 'node:crypto';
import { createSqliteDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { textOf } from './system/converse.ts';
import { type System, startSystem } from './system/start-system.ts';

const SHOP = 'simulated-shop.myshopify.com';
const SECRET = 'shpss_0123456789abcdef';

/** Posts a webhook as Shopify does: signed over the raw bytes. */
async function post(system: System, topic: string, body: object): Promise<number> {
  const bytes = Buffer.from(JSON.stringify(body));
  const answer = await fetch(`${system.replicasOf('ingress')[0]?.url}/webhooks/shopify`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-shopify-hmac-sha256': createHmac('sha256', SECRET).update(bytes).digest('base64'),
      'x-shopify-shop-domain': SHOP,
      'x-shopify-topic': topic,
      'x-shopify-webhook-id': randomUUID(),
      'x-shopify-api-version': '2026-10',
      'x-shopify-triggered-at': new Date().toISOString(),
    },
    body: bytes,
  });
  return answer.status;
}

function checkoutOf(phone: string, item: string) {
  return {
    token: `tok_${phone}`,
    abandoned_checkout_url: `https://${SHOP}/recover/tok_${phone}`,
    phone: `+${phone}`,
    completed_at: null,
    customer: { first_name: 'Ada', last_name: 'Lovelace', phone: `+${phone}` },
    line_items: [{ title: item, quantity: 1, price: '19.00' }],
  };
}

t.test(
  'an abandoned checkout becomes a WhatsApp message, from the signed webhook to the phone; an order, also one whose webhook was lost, or a reply stops it',
  async (t) => {
    const system = await startSystem(t, {
      database: await createSqliteDatabase(t),
      env: { SHOPIFY_SHOP_DOMAIN: SHOP, SHOPIFY_API_SECRET: SECRET },
    });
    const { simulator } = system;
    // Flows look into the shop itself, too.
    await system.api('flow-engine', '/api/v1/shops', {
      shopDomain: SHOP,
      ...simulator.shopify.issueTokens({}),
      clientId: simulator.shopify.clientId,
      clientSecret: simulator.shopify.apiSecret,
    });
    simulator.putTemplate({
      name: 'cart_reminder',
      language: 'en_US',
      category: 'MARKETING',
      components: [{ type: 'BODY', text: 'Hello {{1}}, {{2}} is still in your cart.' }],
      status: 'APPROVED',
    });
    const { version } = await system.api<{ version: number }>(
      'flow-engine',
      '/api/v1/flow-library/abandoned-checkout/install',
      {
        settings: {
          waitMinutes: 0.3,
          secondAfterHours: 0,
          template: {
            name: 'cart_reminder',
            language: 'en_US',
            parameters: ['{{ variables.name }}', '{{ variables.item }}'],
          },
        },
      },
    );
    t.equal(version, 1);

    const [forgets, orders, replies, isMissed] = [
      '15557770001',
      '15557770002',
      '15557770003',
      '15557770004',
    ] as const;
    simulator.shopify.data.addOrder({ checkoutToken: `tok_${isMissed}`, phone: `+${isMissed}` });
    // Who has written is known, and gets a text: the window is open.
    simulator.inject({ from: replies, name: 'Bea', text: 'hello' });
    await until(() => simulator.accepted({ to: replies }).length === 1, {
      what: 'the welcome flow to answer',
      timeoutMs: 60_000,
    });
    // What was published reaches the engine within two seconds: until then a checkout may pass unseen.
    const isStarted = async (phone: string) => {
      const { items } = await system.api<{ items: { id: string }[] }>(
        'campaign-sender',
        `/api/v1/contacts?address=${phone}`,
      );
      const [contact] = items;
      if (!contact) return false;
      const runs = await system.api<unknown[]>(
        'flow-engine',
        `/api/v1/runs?contactId=${contact.id}&status=waiting`,
      );
      return runs.length > (phone === replies ? 1 : 0);
    };
    for (const [phone, item] of [
      [forgets, 'Blue hat'],
      [orders, 'Red scarf'],
      [replies, 'Green socks'],
      [isMissed, 'Grey coat'],
    ] as const)
      await until(
        async () => {
          if (await isStarted(phone)) return true;
          t.equal(await post(system, 'checkouts/create', checkoutOf(phone, item)), 200);
          await until(() => isStarted(phone), { what: 'a run', timeoutMs: 5000, intervalMs: 200 });
          return true;
        },
        { what: `a run for ${phone}`, timeoutMs: 60_000, intervalMs: 500 },
      );
    t.equal(await post(system, 'orders/create', { ...checkoutOf(orders, 'Red scarf'), name: '#1001' }), 200);
    simulator.inject({ from: replies, name: 'Bea', text: 'my order' });

    const reminder = await until(() => simulator.accepted({ to: forgets })[0], {
      what: 'the reminder',
      timeoutMs: 60_000,
    });
    t.match(
      reminder.payload,
      {
        type: 'template',
        template: {
          name: 'cart_reminder',
          components: [{ type: 'body', parameters: [{ text: 'Ada' }, { text: 'Blue hat' }] }],
        },
      },
      'who never wrote gets the approved template',
    );

    const funnel = await until(
      async () => {
        const flows = await system.api<{ id: string; name: string }[]>('flow-engine', '/api/v1/flows');
        const { id } = flows.find(({ name }) => name === 'Abandoned checkout')!;
        const found = await system.api<{
          entered: number;
          finished: number;
          waiting: number;
          dropped: number;
        }>('flow-engine', `/api/v1/flows/${id}/funnel`);
        return found.waiting === 0 && found;
      },
      { what: 'every run to end', timeoutMs: 60_000, intervalMs: 200 },
    );
    t.equal(funnel.finished + funnel.dropped, funnel.entered, 'the funnel adds up');
    t.equal(simulator.accepted({ to: orders }).length, 0, 'who ordered is not reminded');
    t.equal(simulator.accepted({ to: isMissed }).length, 0, 'nor whose order only the shop knows of');
    t.ok(simulator.shopify.queries().length >= 2, 'the shop was asked before anybody was reminded');
    t.notOk(
      simulator.accepted({ to: replies }).some((message) => /in your cart/.test(textOf(message))),
      'who wrote is not reminded',
    );
    const forged = await fetch(`${system.replicasOf('ingress')[0]?.url}/webhooks/shopify`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-shopify-hmac-sha256': Buffer.from('forged').toString('base64'),
        'x-shopify-shop-domain': SHOP,
        'x-shopify-topic': 'checkouts/create',
        'x-shopify-webhook-id': randomUUID(),
      },
      body: JSON.stringify(checkoutOf('15557770009', 'Nothing')),
    });
    t.equal(forged.status, 401, 'a webhook that is not signed starts nothing');
  },
);
