import { loadConfig } from '@switchyard/config';
import fc from 'fast-check';
import t from 'tap';
import { createSecretBox, databaseFields } from '../src/index.ts';

const keyA = Buffer.alloc(32, 1).toString('base64');
const keyB = Buffer.alloc(32, 2).toString('base64');

t.test('what is sealed opens for its context alone, and never repeats', async () => {
  const box = createSecretBox(`a:${keyA}`);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.string(), (text, context, other) => {
      const sealed = box.seal(text, context);
      if (box.open(sealed, context) !== text || sealed === box.seal(text, context)) return false;
      if (other === context) return true;
      try {
        box.open(sealed, other);
        return false;
      } catch (error) {
        return (error as { code?: string }).code === 'SECRET_UNREADABLE';
      }
    }),
  );
});

t.test('a changed secret does not open', async (t) => {
  const box = createSecretBox(`a:${keyA}`);
  const sealed = box.seal('token', 'c');
  const body = Buffer.from(sealed.slice(5), 'base64url');
  for (let i = 0; i < body.length; i++) {
    const changed = Buffer.from(body);
    changed[i] = (changed[i] as number) ^ 1;
    t.throws(() => box.open(`v1.a.${changed.toString('base64url')}`, 'c'), { code: 'SECRET_UNREADABLE' });
  }
  for (const junk of [
    '',
    'v1.a.',
    'plain text',
    'v2.a.AAAA',
    `v1.a.${body.subarray(0, 20).toString('base64url')}`,
  ])
    t.throws(() => box.open(junk, 'c'), { code: 'SECRET_UNREADABLE' });
});

t.test('keys rotate: the new one seals, the old one still opens until it is dropped', async (t) => {
  const old = createSecretBox(`a:${keyA}`);
  const sealed = old.seal('token', 'c');
  const both = createSecretBox(`b:${keyB}, a:${keyA}`);
  t.equal(both.open(sealed, 'c'), 'token');
  t.equal(both.needsRotation(sealed), true);
  const resealed = both.seal(both.open(sealed, 'c'), 'c');
  t.equal(both.needsRotation(resealed), false);
  const next = createSecretBox(`b:${keyB}`);
  t.equal(next.open(resealed, 'c'), 'token');
  t.throws(() => next.open(sealed, 'c'), { code: 'SECRET_UNREADABLE', details: { keyId: 'a' } });
});

t.test('wrong keys are refused by name, and not repeated', async (t) => {
  for (const keys of ['', 'a', `a:${keyA},`, 'a:c2hvcnQ=', `a:${keyA},a:${keyB}`, `a b:${keyA}`])
    t.throws(() => createSecretBox(keys), { name: 'ConfigError', variable: 'ENCRYPTION_KEYS' });
  try {
    createSecretBox('a:c2hvcnQ=');
  } catch (error) {
    t.notMatch((error as Error).message, /c2hvcnQ/);
  }
});

t.test('development has a key, production must bring its own', async (t) => {
  t.ok(createSecretBox(loadConfig(databaseFields, {}).encryptionKeys));
  t.throws(() => loadConfig(databaseFields, { NODE_ENV: 'production' }), /^ENCRYPTION_KEYS /);
});
