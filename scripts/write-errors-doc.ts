// `npm run errors:doc`: writes docs/errors.md from the errors that the sources declare.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildErrorsDoc } from './errors-doc/build-errors-doc.ts';

const root = dirname(import.meta.dirname);
writeFileSync(join(root, 'docs/errors.md'), buildErrorsDoc(root));
