import t from 'tap';
import { createPersonFinder, withoutPerson } from '../src/index.ts';

t.test('a text names a person by phone, id or email, and never by a part of another', async (t) => {
  const isNamed = createPersonFinder([
    { kind: 'phone', value: '+1 555 123-4567' },
    { kind: 'email', value: 'Ana.B+x@example.com' },
    { kind: 'shopify_customer_id', value: '207119551' },
    { kind: 'user_id', value: 'US.13491' },
    { kind: 'shopify_customer_id', value: '1' },
  ]);
  for (const text of [
    '{"wa_id":"15551234567"}',
    '{"phone":"+15551234567"}',
    '{"email":"ana.b+X@Example.com"}',
    '{"customer":{"id":207119551}}',
    '{"user_id":"US.13491"}',
  ])
    t.equal(isNamed(text), true, text);
  for (const text of [
    '{"wa_id":"155512345670"}',
    '{"wa_id":"915551234567"}',
    '{"email":"xana.b+x@example.com"}',
    '{"email":"ana.bbbx@example.com"}',
    '{"id":2071195510}',
    '{"user_id":"US.134910"}',
    '{"n":1}',
  ])
    t.equal(isNamed(text), false, text);
});

t.test(
  'of a job about several people only what names the person goes; where that is not to be told, all of it',
  async (t) => {
    const isNamed = createPersonFinder([{ kind: 'phone', value: '+15551234567' }]);
    const job = (payload: unknown, rest: object = {}) => JSON.stringify({ v: 1, payload, ...rest });
    const meta = { correlationId: 'c' };
    const other = { id: 'b', to: '+15559999999' };
    const mine = { id: 'a', to: '+15551234567' };
    t.equal(
      withoutPerson(job({ merchantId: 'm', messages: [mine, other, mine], tags: ['x'] }, { meta }), isNamed),
      job({ merchantId: 'm', messages: [other], tags: ['x'] }, { meta }),
    );
    t.equal(
      withoutPerson(job({ messages: [other], none: [] }), isNamed),
      job({ messages: [other], none: [] }),
    );
    for (const data of [
      job(mine),
      job({ messages: [mine] }),
      job({ contact: mine, messages: [other] }),
      job({ messages: [other], phones: ['15551234567'] }),
      job({ messages: [other] }, { meta: { correlationId: '15551234567' } }),
      job('15551234567'),
      job([mine, other]),
      '[1]',
      'null',
      '{"payload": {"to": "15551234567"',
    ])
      t.equal(withoutPerson(data, isNamed), undefined, data);
  },
);
