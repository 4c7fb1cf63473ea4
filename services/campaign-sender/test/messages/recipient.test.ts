import t from 'tap';
import { readRecipient } from '../../src/messages/recipient.ts';

t.test('phone numbers are read by the numbering plans, however they are written', async (t) => {
  for (const text of ['+4915112345678', '4915112345678', '+49 (151) 123-456.78', '004915112345678'])
    t.match(readRecipient(text), { to: { kind: 'phone', value: '+4915112345678' } }, text);
  t.match(readRecipient('US.13491208655302741918'), { to: { kind: 'user_id' } });
  t.match(readRecipient('US.ENT.11815799212886844830'), { to: { kind: 'parent_user_id' } });
});

t.test('what can not be a recipient says why', async (t) => {
  const expected: [string, RegExp][] = [
    ['abc', /phone number in international form/],
    ['', /phone number in international form/],
    ['+1555', /too short/],
    ['+155512300011234', /too long/],
    ['+999123456789', /country/],
    ['+491511234567890123', /too long/],
    ['+49 900 1 234567', /no WhatsApp/],
  ];
  for (const [text, problem] of expected) t.match(readRecipient(text).problem, problem, text);
});
