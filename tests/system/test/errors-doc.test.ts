import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { buildErrorsDoc } from '../../../scripts/errors-doc/build-errors-doc.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

t.test('docs/errors.md says what the sources declare', async (t) => {
  t.equal(readFileSync(`${root}docs/errors.md`, 'utf8'), buildErrorsDoc(root), 'else: npm run errors:doc');
});

t.test('one code means one thing', async (t) => {
  const codes = [...buildErrorsDoc(root).matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
  t.ok(codes.length > 50);
  t.strictSame(
    codes.filter((code, index) => codes.indexOf(code) !== index),
    [],
  );
});
