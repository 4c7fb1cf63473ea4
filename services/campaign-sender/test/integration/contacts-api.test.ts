import { createSqliteDatabase, eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { startStage } from '../helper.ts';

void eachDatabase(
  t,
  'a contact is made, found by each of its identifiers, changed, and tells flows what has changed',
  async (t, database) => {
    const stage = await startStage(t, database);
    const draft = {
      phone: '+49 1511 2345678',
      email: 'Ana@Example.com',
      externalId: 'crm-1',
      shopifyCustomerId: '820982911946154508',
      name: 'Ana',
      attributes: { city: 'Berlin', visits: 3 },
      tags: ['vip'],
      consents: [{ purpose: 'marketing', granted: true, source: 'checkout', decidedAtMs: 10 }],
    };
    const made = await stage.call('POST', '/api/v1/contacts', draft);
    t.equal(made.status, 201);
    const { id } = made.body.data;
    for (const query of [
      'address=%2B4915112345678',
      'email=ana@example.com',
      'externalId=crm-1',
      'shopifyCustomerId=820982911946154508',
      'tag=vip',
    ])
      t.match((await stage.call('GET', `/api/v1/contacts?${query}`)).body.data.items, [{ id }], query);
    t.match(await stage.call('POST', '/api/v1/contacts', { email: 'ana@example.com' }), {
      status: 409,
      body: { error: { code: 'IDENTIFIER_TAKEN', details: { contactId: id } } },
    });
    const updated = await stage.call('POST', '/api/v1/contacts', {
      externalId: 'crm-1',
      name: 'Ana Lee',
      attributes: { visits: 4, city: null },
      onExisting: 'update',
    });
    t.match(updated, { status: 200, body: { data: { id, name: 'Ana Lee', attributes: { visits: 4 } } } });
    t.match(
      (await stage.call('PATCH', `/api/v1/contacts/${id}`, { email: null, username: 'ana' })).body.data,
      {
        email: null,
        username: 'ana',
      },
    );
    t.match(
      (await stage.call('POST', `/api/v1/contacts/${id}/tags`, { add: ['new'], remove: ['vip'] })).body.data,
      {
        tags: ['new'],
      },
    );
    t.match((await stage.call('GET', '/api/v1/contacts?tag=vip')).body.data.items, []);
    const names = await until(async () => {
      const jobs = (await stage.queued('flows')).filter(({ name }) => name === 'handle-event');
      return (
        jobs.length >= 7 && jobs.toSorted((a, b) => Number(a.payload.sequence) - Number(b.payload.sequence))
      );
    });
    t.strictSame(
      names.map(({ payload }) => payload.name),
      [
        'contact.attribute_changed',
        'contact.attribute_changed',
        'contact.tag_added',
        'contact.attribute_changed',
        'contact.attribute_changed',
        'contact.tag_removed',
        'contact.tag_added',
      ],
    );
    t.strictSame(JSON.parse(String(names[3]!.payload.body)), { name: 'visits', value: 4, previous: 3 });
  },
);

t.test('what cannot be a contact is refused, naming the field', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  const refused = async (body: object, status: number, field: string | undefined) => {
    const answer = await stage.call('POST', '/api/v1/contacts', body);
    t.equal(answer.status, status, JSON.stringify(answer.body));
    if (field) t.match(answer.body.error.details, { field });
  };
  await refused({}, 422, 'phone');
  await refused({ phone: '0151 12345678' }, 422, 'phone');
  await refused({ phone: '+4915112345678', email: 'nonsense' }, 422, 'email');
  await refused({ phone: '+4915112345678', unknown: 1 }, 400, undefined);
  await stage.call('PATCH', '/api/v1/settings/people', { defaultCountry: 'DE' });
  const made = await stage.call('POST', '/api/v1/contacts', { phone: '0151 12345678' });
  t.match(made, { status: 201, body: { data: { phone: '+4915112345678' } } });
  const other = await stage.call('POST', '/api/v1/contacts', { userId: 'US.9' });
  t.match(await stage.call('PATCH', `/api/v1/contacts/${other.body.data.id}`, { phone: '+4915112345678' }), {
    status: 409,
    body: { error: { code: 'IDENTIFIER_TAKEN', details: { field: 'phone', contactId: made.body.data.id } } },
  });
  t.match(await stage.call('PATCH', `/api/v1/contacts/${other.body.data.id}`, { userId: null }), {
    status: 422,
    body: { error: { code: 'CONTACT_INVALID', details: { field: 'userId' } } },
  });
  t.equal((await stage.call('PATCH', '/api/v1/contacts/con_none', { name: 'x' })).status, 404);
  t.equal((await stage.call('PATCH', '/api/v1/settings/people', { defaultCountry: 'Germany' })).status, 400);
});

t.test(
  'consent has a source, a time and a history; opt-outs end and begin again; the latest word counts',
  async (t) => {
    const stage = await startStage(t, await createSqliteDatabase(t));
    const { id } = (await stage.call('POST', '/api/v1/contacts', { phone: '+15551234500' })).body.data;
    const url = `/api/v1/contacts/${id}`;
    const say = (granted: boolean, decidedAtMs: number) =>
      stage.call('POST', `${url}/consents`, {
        purpose: 'marketing',
        granted,
        source: `form ${decidedAtMs}`,
        decidedAtMs,
      });
    t.match((await say(false, 20)).body.data, { marketingOptedOut: true, optedOut: false });
    t.match((await say(true, 10)).body.data, { marketingOptedOut: true }, 'an older word changes nothing');
    t.match((await stage.call('GET', '/api/v1/suppressions')).body.data.items, [
      { value: '+15551234500', scope: 'marketing' },
    ]);
    t.match((await say(true, 30)).body.data, { marketingOptedOut: false });
    t.match((await stage.call('GET', '/api/v1/suppressions')).body.data.items, []);
    t.match((await stage.call('POST', `${url}/opt-out`, { source: 'phone call' })).body.data, {
      optedOut: true,
    });
    t.match((await stage.call('GET', '/api/v1/suppressions')).body.data.items, [
      { value: '+15551234500', scope: 'all', reason: 'person', source: 'phone call' },
    ]);
    // An address that comes to light later is suppressed with the person's others.
    await stage.call('PATCH', url, { userId: 'US.55' });
    t.match((await stage.call('POST', `${url}/opt-in`)).body.data, { optedOut: false });
    const history = (await stage.call('GET', `${url}/consents`)).body.data.items;
    t.strictSame(
      history.map(({ purpose, granted }: { purpose: string; granted: boolean }) => `${purpose} ${granted}`),
      ['all true', 'all false', 'marketing true', 'marketing true', 'marketing false'],
    );
  },
);

t.test('somebody who asked for silence under one address is silent under the next', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  await stage.call('POST', '/api/v1/suppressions', { address: '+15551234501' });
  const { id } = (await stage.call('POST', '/api/v1/contacts', { userId: 'US.56' })).body.data;
  t.match((await stage.call('PATCH', `/api/v1/contacts/${id}`, { phone: '+15551234501' })).body.data, {
    optedOut: true,
  });
  const { items } = (await stage.call('GET', '/api/v1/suppressions')).body.data;
  t.match(items.map(({ value }: { value: string }) => value).toSorted(), ['+15551234501', 'US.56']);
});

t.test(
  'an abandoned checkout reaches flows with a contact that has a phone, unless the merchant does not want that',
  async (t) => {
    const stage = await startStage(t, await createSqliteDatabase(t));
    const checkout = (eventId: string, phone: string) =>
      stage.ingress.add({
        queue: 'inbound',
        name: 'receive-shopify-event',
        payload: {
          merchantId: 'default',
          eventId,
          shopDomain: 'a.myshopify.com',
          topic: 'checkouts/update',
          webhookId: eventId,
          receivedAtMs: 1,
          body: JSON.stringify({
            email: `${eventId}@example.com`,
            shipping_address: { phone, country_code: 'DE', first_name: 'Ana' },
          }),
        },
      });
    await checkout('evt_1', '0151 12345679');
    const event = await until(async () => (await stage.queued('flows'))[0]);
    t.match(event.payload, {
      kind: 'shopify',
      name: 'checkouts/update',
      contact: {
        phone: '+4915112345679',
        email: 'evt_1@example.com',
        name: 'Ana',
        address: '+4915112345679',
      },
    });
    await stage.call('PATCH', '/api/v1/settings/people', { createContactsFromEvents: false });
    await checkout('evt_2', '0151 12345680');
    const { db } = stage.service.database;
    await until(
      async () => (await db.selectFrom('unmatched_events').select('id').execute())[0]?.id === 'evt_2',
    );
    await checkout('evt_1', '0151 12345679');
  },
);
