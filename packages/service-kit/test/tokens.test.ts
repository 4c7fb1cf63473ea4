import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { ConfigError, loadConfig } from '@switchyard/config';
import { SignJWT } from 'jose';
import t from 'tap';
import { createTokenIssuer, createTokenVerifier, generateKeyPair, httpFields } from '../src/index.ts';

const current = generateKeyPair();
const former = generateKeyPair();
const foreign = generateKeyPair();
const issuer = (pair: { privateKeyPem: string }, ttlSeconds = 60) =>
  createTokenIssuer({ privateKeyPem: pair.privateKeyPem, ttlSeconds });
const grant = { subject: 'user-1', merchantId: 'm1', scopes: ['messages:write'] };

function verifier(publicKeys: string | undefined = current.publicKeyPem) {
  return createTokenVerifier({ publicKeys, apiKey: 'the-api-key-of-this-installation' });
}

/** A token with parts replaced, signed with a key of choice. */
async function forge(parts: {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  key?: Parameters<SignJWT['sign']>[0];
}): Promise<string> {
  const { token } = await issuer(current).issue(grant);
  const [header, claims] = token
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  const { createPrivateKey } = await import('node:crypto');
  return new SignJWT({ ...claims, ...parts.claims })
    .setProtectedHeader({ ...header, ...parts.header })
    .sign(parts.key ?? createPrivateKey(current.privateKeyPem));
}

t.test('a token carries subject, merchant and scopes to the verifier', async (t) => {
  const { token, expiresAtMs } = await issuer(current).issue(grant);
  const principal = { subject: 'user-1', merchantId: 'm1', homeMerchantId: 'm1', scopes: ['messages:write'] };
  const check = verifier();
  t.same(await check.verify(token), principal);
  t.same(await check.verify(token), principal, 'also the second time, from memory');
  t.ok(expiresAtMs > Date.now() && expiresAtMs <= Date.now() + 61_000);
  t.equal(issuer(current).publicKeyPem, current.publicKeyPem);
});

t.test('while keys are rotated, tokens of both keys are valid', async (t) => {
  const check = verifier(`${current.publicKeyPem}\n${former.publicKeyPem}`);
  for (const pair of [current, former]) {
    const { token } = await issuer(pair).issue(grant);
    t.match(await check.verify(token), { merchantId: 'm1' });
  }
  const { token } = await issuer(former).issue(grant);
  await t.rejects(verifier().verify(token), { code: 'UNAUTHENTICATED', statusCode: 401 }, 'then no longer');
});

t.test('a token that is not exactly right is refused', async (t) => {
  const now = Math.floor(Date.now() / 1_000);
  const check = verifier();
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const { token } = await issuer(current).issue(grant);
  const [header = '', claims = '', signature = ''] = token.split('.');
  const foreignToken = await issuer(foreign).issue(grant);
  const kid = JSON.parse(Buffer.from(header, 'base64url').toString()).kid;
  const hmacKey = new TextEncoder().encode(current.publicKeyPem);
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const { createPrivateKey } = await import('node:crypto');
  const cases: Record<string, string> = {
    empty: '',
    'not a token': 'a.b.c',
    'no algorithm': `${encode({ alg: 'none', typ: 'JWT', kid })}.${claims}.`,
    'HS256 with the public key as secret': await forge({ header: { alg: 'HS256' }, key: hmacKey }),
    'another algorithm': await forge({ header: { alg: 'ES256' }, key: ec }),
    'another installation': foreignToken.token,
    'our key id over another key': await forge({ key: createPrivateKey(foreign.privateKeyPem) }),
    'unknown key id': await forge({ header: { kid: 'other' } }),
    'no key id': await forge({ header: { kid: undefined } }),
    'key id of the prototype': await forge({ header: { kid: '__proto__' } }),
    'wrong audience': await forge({ claims: { aud: 'another-api' } }),
    'no audience': await forge({ claims: { aud: undefined } }),
    'wrong issuer': await forge({ claims: { iss: 'someone' } }),
    'no expiry': await forge({ claims: { exp: undefined } }),
    'no subject': await forge({ claims: { sub: undefined } }),
    'no merchant': await forge({ claims: { merchantId: undefined } }),
    'a merchant that is no text': await forge({ claims: { merchantId: ['m1'] } }),
    'scopes that are no list': await forge({ claims: { scopes: '*' } }),
    'not valid yet': await forge({ claims: { nbf: now + 60 } }),
    'changed claims': `${header}.${encode({ ...grant, merchantId: 'm2' })}.${signature}`,
    'too long': `${token}${'A'.repeat(9_000)}`,
    'an API key almost right': 'the-api-key-of-this-installatioN',
  };
  for (const [name, bearer] of Object.entries(cases)) {
    await t.rejects(
      check.verify(bearer),
      { code: 'UNAUTHENTICATED', message: /^the token is not valid$/ },
      name,
    );
  }
  await t.rejects(check.verify(await forge({ claims: { exp: now - 6 } })), { code: 'TOKEN_EXPIRED' });
  t.ok(await check.verify(await forge({ claims: { exp: now - 1 } })), 'clocks may differ a little');
  await t.rejects(createTokenVerifier({ publicKeys: undefined }).verify(token), { code: 'UNAUTHENTICATED' });
});

t.test('R7.3: SWITCHYARD_API_KEY is a key of the default merchant with every scope', async (t) => {
  t.same(await verifier().verify('the-api-key-of-this-installation'), {
    subject: 'api-key',
    merchantId: 'default',
    homeMerchantId: 'default',
    scopes: ['*', 'admin'],
  });
});

t.test('unusable keys are refused by the name of their variable', async (t) => {
  const load = (env: Record<string, string>) => () => loadConfig(httpFields(3000), env);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
    format: 'pem',
    type: 'spki',
  });
  for (const key of ['nonsense', rsa.toString(), current.privateKeyPem, `${current.publicKeyPem} and more`]) {
    t.throws(load({ TOKEN_PUBLIC_KEY: key }), { name: 'ConfigError', variable: 'TOKEN_PUBLIC_KEY' });
    t.throws(() => createTokenVerifier({ publicKeys: key }), {
      name: 'ConfigError',
      variable: 'TOKEN_PUBLIC_KEY',
    });
  }
  const oneLine = current.publicKeyPem.replaceAll('\n', '\\n');
  const { tokenPublicKey } = loadConfig(httpFields(3000), { TOKEN_PUBLIC_KEY: oneLine });
  t.ok(createPublicKey(tokenPublicKey ?? ''), 'a key on one line with \\n is read');
  t.throws(() => createTokenIssuer({ privateKeyPem: 'x', ttlSeconds: 1 }), {
    name: 'ConfigError',
    variable: 'TOKEN_PRIVATE_KEY',
  });
  t.throws(
    () => createTokenIssuer({ privateKeyPem: current.publicKeyPem, ttlSeconds: 1, variable: 'INGRESS_KEY' }),
    ConfigError,
  );
});
