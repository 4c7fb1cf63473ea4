import fc from 'fast-check';
import t from 'tap';
import { parseAddress } from '../../src/contacts/address.ts';
import { readKeyword } from '../../src/contacts/opt-out-keywords.ts';

t.test('a message that is nothing but a keyword opts out, in any spelling of it', async (t) => {
  for (const text of [
    'STOP',
    'stop.',
    ' Stop! ',
    'arrêt',
    'ARRÊTER',
    'Opt-Out',
    'baja',
    'стоп',
    'توقف',
    'रोकें',
    '退订',
  ])
    t.equal(readKeyword(text), 'opt-out', text);
  for (const text of ['stop by tomorrow?', 'cancel', 'end', '', undefined, 'x'.repeat(1000)])
    t.equal(readKeyword(text), undefined, String(text).slice(0, 20));
  t.equal(readKeyword('Start'), 'opt-in');
  fc.assert(fc.property(fc.string(), (text) => readKeyword(`${text} something else`) === undefined));
});

t.test('an address is a possible phone number in any spelling, or a user id', async (t) => {
  for (const text of ['15551234567', '+15551234567', '+1 (555) 123-4567'])
    t.strictSame(parseAddress(text), { kind: 'phone', value: '+15551234567' }, text);
  t.strictSame(parseAddress('US.13491208655302741918'), {
    kind: 'user_id',
    value: 'US.13491208655302741918',
  });
  t.strictSame(parseAddress('US.ENT.1'), { kind: 'parent_user_id', value: 'US.ENT.1' });
  for (const text of ['', '12', 'abc', '+999999999999999999', 'us.1'])
    t.equal(parseAddress(text), undefined, text);
  fc.assert(fc.property(fc.string(), (text) => parseAddress(text)?.value !== ''));
});
