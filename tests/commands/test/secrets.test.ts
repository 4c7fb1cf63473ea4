import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { settleSecrets } from '../../../scripts/start/secrets.ts';

t.test('secrets are generated once, for the owner’s eyes only', async (t) => {
  const folder = join(t.testdir(), 'secrets');
  const first = settleSecrets({}, folder);
  t.same(settleSecrets({}, folder), first);
  t.match(first.ENCRYPTION_KEYS, /^k1:[\w+/]{43}=$/);
  t.match(first.SWITCHYARD_API_KEY, /^sk_[\w-]{32}$/);
  for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  const signature = sign(null, Buffer.from('x'), readFileSync(first.TOKEN_SIGNING_KEY_FILE!));
  t.ok(verify(null, Buffer.from('x'), readFileSync(first.TOKEN_PUBLIC_KEY_FILE!), signature));
});

t.test(
  'what is configured wins, also by file, and a configured signing key brings its public key',
  async (t) => {
    const folder = join(t.testdir(), 'secrets');
    const { privateKey } = generateKeyPairSync('ed25519');
    const configured = {
      TOKEN_SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      ENCRYPTION_KEYS: 'k9:x',
      SWITCHYARD_API_KEY_FILE: '/run/key',
    };
    const added = settleSecrets(configured, folder);
    t.same(Object.keys(added).sort(), [
      'SHOPIFY_API_SECRET',
      'TOKEN_PUBLIC_KEY_FILE',
      'WHATSAPP_APP_SECRET',
      'WHATSAPP_VERIFY_TOKEN',
    ]);
    const signature = sign(null, Buffer.from('x'), privateKey);
    t.ok(verify(null, Buffer.from('x'), readFileSync(added.TOKEN_PUBLIC_KEY_FILE!), signature));
  },
);

t.test('keys that can’t work together are refused by name', async (t) => {
  const folder = join(t.testdir(), 'secrets');
  t.throws(() => settleSecrets({ TOKEN_PUBLIC_KEY: 'x' }, folder), /^TOKEN_SIGNING_KEY must be set/);
  t.throws(() => settleSecrets({ TOKEN_SIGNING_KEY: 'x' }, folder), /TOKEN_SIGNING_KEY must be an Ed25519/);
});
