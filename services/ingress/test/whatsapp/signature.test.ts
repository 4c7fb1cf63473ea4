import { signMeta } from '@switchyard/test-kit';
import t from 'tap';
import { isSignedWith } from '../../src/signatures/is-signed-with.ts';
import { readSignature } from '../../src/whatsapp/read-signature.ts';

t.test('known answer: RFC 4231, test case 2', async (t) => {
  const header = 'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
  const body = Buffer.from('what do ya want for nothing?');
  t.equal(isSignedWith(body, readSignature(header)!, ['Jefe']), true);
  t.equal(isSignedWith(body, readSignature(header)!, ['jefe']), false);
  t.equal(isSignedWith(Buffer.from('what do ya want for nothing!'), readSignature(header)!, ['Jefe']), false);
});

t.test('known answer: the bytes are signed as they are, escapes and accents included', async (t) => {
  const body = Buffer.from('{"text":"caf\\u00e9 é 😀","n":12345678901234567890}');
  const header = 'sha256=c0bcfd803b67aeb7eeaed8755f75a69e13645043f64d5ea96d08262ffa95e903';
  t.equal(isSignedWith(body, readSignature(header)!, ['app-secret']), true, 'as openssl dgst -hmac says');
  t.equal(
    isSignedWith(Buffer.from(body.toString().normalize('NFD')), readSignature(header)!, ['app-secret']),
    false,
  );
});

t.test('while a secret is rotated both the current and the previous one are accepted', async (t) => {
  const body = Buffer.from('{}');
  for (const secret of ['new', 'old'])
    t.equal(isSignedWith(body, readSignature(signMeta(body, secret))!, ['new', 'old']), true, secret);
  t.equal(isSignedWith(body, readSignature(signMeta(body, 'older'))!, ['new', 'old']), false);
  t.equal(isSignedWith(body, readSignature(signMeta(body, ''))!, []), false, 'no secret signs nothing');
});

t.test('a header that is no signature is none', async (t) => {
  const hex = 'a'.repeat(64);
  for (const header of [
    undefined,
    '',
    hex,
    `sha1=${hex}`,
    `sha256=${hex}0`,
    `sha256=${'g'.repeat(64)}`,
    [`sha256=${hex}`],
  ])
    t.equal(readSignature(header), undefined, JSON.stringify(header));
  t.same(readSignature(`sha256=${hex.toUpperCase()}`), Buffer.from(hex, 'hex'));
});
