import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { readCustomEvent } from '../../src/custom/read-custom-event.ts';
import { keyOf, type SignatureSettings } from '../../src/custom/signature-settings.ts';
import { verifyCustom } from '../../src/custom/verify-custom.ts';

const standard: SignatureSettings = { scheme: 'standard-webhooks' };
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const known = {
  body: Buffer.from('{"test": 2432232314}'),
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
};
const THEN_MS = 1_614_265_330_000;

t.test('known answer: the example of Standard Webhooks', async (t) => {
  const verdict = (headers: object, secrets = [SECRET], nowMs = THEN_MS) =>
    verifyCustom(standard, { ...known, headers: { ...known.headers, ...headers } }, secrets, nowMs);
  t.equal(verdict({}), 'ok');
  t.equal(verdict({}, ['whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', SECRET]), 'ok', 'while it is rotated');
  const list = `v1a,xx v1,${'A'.repeat(43)}= ${known.headers['webhook-signature']}`;
  t.equal(verdict({ 'webhook-signature': list }), 'ok', 'one of a list, beside versions unknown to us');
  t.equal(verdict({}, ['whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']), 'signature-wrong');
  t.equal(verdict({ 'webhook-id': 'msg_other' }), 'signature-wrong', 'the id is signed');
  t.equal(verdict({ 'webhook-timestamp': '1614265331' }), 'signature-wrong', 'the time is signed');
  t.equal(verdict({ 'webhook-id': undefined }), 'signature-missing');
  t.equal(verdict({ 'webhook-timestamp': 'soon' }), 'timestamp-missing');
  t.equal(verdict({ 'webhook-signature': 'v1,' }), 'signature-missing');
});

t.test('an old signed request, sent again, is refused; so is one from the future', async (t) => {
  for (const [seconds, expected] of [
    [299, 'ok'],
    [301, 'timestamp-old'],
    [-299, 'ok'],
    [-301, 'timestamp-old'],
  ] as const)
    t.equal(verifyCustom(standard, known, [SECRET], THEN_MS + seconds * 1000), expected, `${seconds} s`);
});

t.test('known answers: an HMAC in a header of one’s own, as openssl dgst -hmac says', async (t) => {
  const body = Buffer.from('{"id":"o-1","type":"order.paid"}');
  const hex: SignatureSettings = {
    scheme: 'hmac',
    header: 'X-Signature',
    encoding: 'hex',
    prefix: 'sha256=',
    timestampHeader: 'X-Timestamp',
  };
  const headers = {
    'x-signature': 'sha256=51797d9722d7b39ce2cf6c6500b8bbf8a936edf32eeac0c62f4f4909ae0a2592',
    'x-timestamp': '1763660000',
  };
  const nowMs = 1_763_660_000_000;
  t.equal(verifyCustom(hex, { body, headers }, ['hmac-known-secret'], nowMs), 'ok');
  t.equal(verifyCustom(hex, { body, headers }, ['hmac-known-secret'], nowMs + 301_000), 'timestamp-old');
  t.equal(
    verifyCustom(
      hex,
      { body, headers: { ...headers, 'x-timestamp': '1763660001' } },
      ['hmac-known-secret'],
      nowMs,
    ),
    'signature-wrong',
  );
  const base64: SignatureSettings = { scheme: 'hmac', header: 'x-sig', encoding: 'base64' };
  const signed = { 'x-sig': 'xTpF1MFk4SLsm7iC7TPPf6Ccjn6adeTMIbF3OUnVDtI=' };
  t.equal(verifyCustom(base64, { body, headers: signed }, ['hmac-known-secret'], nowMs), 'ok');
  t.equal(verifyCustom(base64, { body, headers: signed }, ['another-secret'], nowMs), 'signature-wrong');
  t.equal(verifyCustom(base64, { body, headers: {} }, ['hmac-known-secret'], nowMs), 'signature-missing');
});

t.test('a secret that Standard Webhooks can’t use is refused by name', async (t) => {
  for (const secret of ['plain-secret', 'whsec_', 'whsec_short', 'whsec_not base64!'])
    t.throws(() => keyOf(standard, secret), { code: 'SECRET_MALFORMED' }, secret);
  t.type(keyOf({ scheme: 'hmac', header: 'x', encoding: 'hex' }, 'plain-secret'), 'string');
});

t.test('property: no signature but the right one is ever taken, and nothing throws', async (t) => {
  const key = Buffer.from(SECRET.slice(6), 'base64');
  const right = (id: string, time: string, body: Buffer) =>
    createHmac('sha256', key)
      .update(Buffer.concat([Buffer.from(`${id}.${time}.`), body]))
      .digest('base64');
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), fc.uint8Array(), (id, time, signature, bytes) => {
      const body = Buffer.from(bytes);
      const headers = { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature };
      const verdict = verifyCustom(standard, { body, headers }, [SECRET], THEN_MS);
      return verdict !== 'ok' || signature.includes(right(id, time, body));
    }),
  );
  t.pass();
});

t.test('an event is read from headers and body', async (t) => {
  const read = (body: string, settings: SignatureSettings = standard, headers = {}) =>
    readCustomEvent(settings, { body: Buffer.from(body), headers });
  const body = '{"type":"order.paid","timestamp":"2025-11-20T17:33:20Z","data":{"n":12345678901234567890}}';
  t.same(read(body, standard, { 'webhook-id': 'msg_1' }), {
    id: 'msg_1',
    type: 'order.paid',
    occurredAtMs: 1_763_660_000_000,
    body,
  });
  const hmac: SignatureSettings = {
    scheme: 'hmac',
    header: 'x',
    encoding: 'hex',
    idHeader: 'X-Id',
    typeHeader: 'X-Type',
  };
  t.match(read('{"id":1}', hmac, { 'x-id': 'h-1', 'x-type': 'cart.left' }), { id: 'h-1', type: 'cart.left' });
  t.match(read('{"id":12345678901234567890}', hmac), { id: '12345678901234567890', type: 'event' });
  t.same(read('{"a":1}', hmac), read('{"a":1}', hmac), 'without an id, the same bytes are the same event');
  t.equal(read('[]'), 'not-an-object');
  t.equal(read('{'), 'not-json');
});
