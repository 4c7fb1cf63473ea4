import t from 'tap';
import { readShopifySignature } from '../../src/shopify/read-shopify-headers.ts';
import { isSignedWith } from '../../src/signatures/is-signed-with.ts';

t.test('known answer: base64 of the HMAC over the raw bytes, as openssl dgst -hmac says', async (t) => {
  const body = Buffer.from('{"id":820982911946154508,"note":"café"}');
  const headers = { 'x-shopify-hmac-sha256': 'ylehLZC164hgKHz5FJPdSMeCly26Z2Rl9WxBI+c8Pl0=' };
  const signature = readShopifySignature(headers)!;
  t.equal(isSignedWith(body, signature, ['shpss_known-secret']), true);
  t.equal(isSignedWith(body, signature, ['new', 'shpss_known-secret']), true, 'while it is rotated');
  t.equal(isSignedWith(body, signature, ['shpss_other-secret']), false);
  t.equal(isSignedWith(Buffer.from(`${body} `), signature, ['shpss_known-secret']), false);
});

t.test('a header that is no signature is none', async (t) => {
  for (const text of ['', 'x', 'a'.repeat(43), `${'a'.repeat(43)}==`, `${'-'.repeat(43)}=`, 'f'.repeat(64)])
    t.equal(readShopifySignature({ 'x-shopify-hmac-sha256': text }), undefined, text);
  t.equal(readShopifySignature({}), undefined);
});
