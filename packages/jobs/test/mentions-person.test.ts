import t from 'tap';
import { createPersonFinder } from '../src/index.ts';

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
