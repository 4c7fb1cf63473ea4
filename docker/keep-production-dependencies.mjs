// Takes the development dependencies out of every package.json of the build's own copy, so that `turbo prune` follows
// only what runs in production. Runs in the Dockerfile, in /app.
import { globSync, readFileSync, writeFileSync } from 'node:fs';

for (const file of globSync('{.,packages/*,services/*,tools/*}/package.json')) {
  const { devDependencies: _, ...manifest } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify(manifest, null, 2));
}
