// `npm run env:example`: writes .env.example anew.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildEnvExample } from './env-example/build-env-example.ts';

writeFileSync(join(import.meta.dirname, '../.env.example'), buildEnvExample());
