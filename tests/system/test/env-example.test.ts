import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { buildEnvExample } from '../../../scripts/env-example/build-env-example.ts';

const read = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');
const committed = read('.env.example');
const documented = [...committed.matchAll(/^# ([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name ?? '');

t.test('.env.example says what the services’ settings say', async (t) => {
  t.equal(committed, buildEnvExample(), 'else: npm run env:example');
});

t.test('.env.example names every variable once', async (t) => {
  t.same(
    documented.filter((name, index) => documented.indexOf(name) !== index),
    [],
  );
});

t.test('.env.example names every variable that docker-compose.yml reads', async (t) => {
  const used = [...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name ?? '');
  t.same(
    used.filter((name) => !documented.includes(name)),
    [],
  );
});

t.test('.env.example shows no secret', async (t) => {
  const shown = [...committed.matchAll(/\[secret\].*\n# [A-Z0-9_]+=(.+)/g)].map(([line]) => line);
  t.same(shown, []);
});
