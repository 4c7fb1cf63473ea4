import fc from 'fast-check';
import t from 'tap';
import { readCustomPerson, readShopifyPerson } from '../../src/inbound/event-person.ts';

const found = (body: object | string, topic = 'checkouts/update', country: string | null = null) => {
  const person = readShopifyPerson(typeof body === 'string' ? body : JSON.stringify(body), topic, country);
  return {
    ...person,
    identifiers: person.identifiers.map(({ kind, value }) => `${kind}:${value}`).toSorted(),
  };
};

t.test(
  'an abandoned checkout names its customer by id, email and phone, dialled in the country of the address',
  async (t) => {
    t.strictSame(
      found(
        // Longer than a number is exact.
        '{"id":1,"email":"Ana@Example.com ","phone":null,"customer_locale":"de","customer":{"id":820982911946154508,"first_name":"Ana","last_name":"Lee","phone":null},"shipping_address":{"phone":"0151 12345678","country_code":"DE","first_name":"Bo"}}',
      ),
      {
        identifiers: [
          'email:ana@example.com',
          'phone:+4915112345678',
          'shopify_customer_id:820982911946154508',
        ],
        name: 'Ana Lee',
        language: 'de',
      },
    );
  },
);

t.test('what the customer himself has said goes before what stands in an address', async (t) => {
  const address = { phone: '+15550001111', country_code: 'US' };
  t.match(found({ phone: '(555) 123-4567', shipping_address: address }).identifiers, ['phone:+15551234567']);
  t.match(
    found({ customer: { phone: '+4915112345678' }, phone: '+15551234567', shipping_address: address })
      .identifiers,
    ['phone:+4915112345678'],
  );
  t.match(found({ billing_address: { phone: '555 123 4567' } }, 'orders/create', 'US').identifiers, [
    'phone:+15551234567',
  ]);
  t.strictSame(
    found({ billing_address: { phone: '555 123 4567' } }).identifiers,
    [],
    'dialled nobody knows where',
  );
});

t.test('the body of a customers event is the customer', async (t) => {
  t.match(
    found(
      { id: 7, admin_graphql_api_id: 'gid://shopify/Customer/820982911946154508', email: 'a@b.co' },
      'customers/update',
    ),
    {
      identifiers: ['email:a@b.co', 'shopify_customer_id:820982911946154508'],
    },
  );
  t.match(
    found({ id: 7, email: 'a@b.co' }, 'orders/create').identifiers,
    ['email:a@b.co'],
    "an order's id is no customer's",
  );
});

t.test('a custom event names its person in contact, customer or its own body', async (t) => {
  const read = (body: unknown) =>
    readCustomPerson(JSON.stringify(body), null).identifiers.map(({ kind, value }) => `${kind}:${value}`);
  t.strictSame(read({ contact: { phone: '0151 12345678', country: 'de', externalId: 17 } }), [
    'phone:+4915112345678',
    'external_id:17',
  ]);
  t.strictSame(read({ customer: { userId: 'US.1' }, email: 'x@y.zz' }), ['user_id:US.1']);
  t.strictSame(read({ email: 'X@y.zz' }), ['email:x@y.zz']);
});

t.test('no body is too strange to be read', async (t) => {
  const strange = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .dictionary(
        fc.constantFrom(
          'customer',
          'contact',
          'phone',
          'email',
          'id',
          'shipping_address',
          'userId',
          '__proto__',
        ),
        fc.jsonValue(),
      )
      .map((value) => JSON.stringify(value)),
  );
  const property = fc.property(strange, (body) => {
    for (const { identifiers } of [
      readShopifyPerson(body, 'orders/create', 'US'),
      readCustomPerson(body, 'US'),
    ])
      for (const { value } of identifiers) if (value === '' || value.length > 191) return false;
    return true;
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }));
});
