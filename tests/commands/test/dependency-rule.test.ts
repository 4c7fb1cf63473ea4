import t from 'tap';
import { checkDeclared, checkImport } from '../../../scripts/testing/dependency-rule.ts';
import type { Manifest, Workspace } from '../../../scripts/testing/workspaces.ts';

function workspace(path: string, manifest: Partial<Manifest> = {}): Workspace {
  const directory = path.split('/').at(-1)!;
  return { path, directory, manifest: { name: `@switchyard/${directory}`, ...manifest } };
}

const jobs = workspace('packages/jobs', { dependencies: { bullmq: '1' } });
const ingress = workspace('services/ingress', {
  dependencies: { '@switchyard/jobs': '1', fastify: '1', bullmq: '1' },
  devDependencies: { '@switchyard/test-kit': '1' },
});
const notifier = workspace('services/notifier');
const all = [jobs, ingress, notifier, workspace('packages/test-kit'), workspace('packages/service-kit')];
const atRoot = new Set(['tap']);

function declares(path: string, name: string, kind: 'dependencies' | 'devDependencies' = 'dependencies') {
  return checkDeclared(workspace(path, { [kind]: { [name]: '1' } }), all);
}

function imports(from: Workspace, file: string, specifier: string, target?: string) {
  return checkImport(
    { workspace: from, file, specifier, ...(target === undefined ? {} : { target }) },
    all,
    atRoot,
  );
}

t.test('what breaks the rule by a declared dependency is named', async (t) => {
  t.match(declares('packages/redis', '@switchyard/ingress'), [/packages never depend on services/]);
  t.match(declares('services/x', '@switchyard/ingress', 'devDependencies'), [/meet only on a queue/]);
  t.match(declares('packages/jobs', '@fastify/cors'), [/knows nothing of HTTP/]);
  t.match(declares('packages/jobs', '@switchyard/service-kit'), [/knows nothing of HTTP/]);
  t.match(declares('packages/service-kit', 'bullmq'), [/knows nothing of queues/]);
  t.match(declares('packages/service-kit', '@switchyard/jobs'), [/knows nothing of queues/]);
  t.match(declares('services/x', '@switchyard/test-kit'), [/belongs in devDependencies/]);
});

t.test('what keeps the rule is let through', async (t) => {
  t.same(declares('services/x', '@switchyard/jobs'), []);
  t.same(declares('services/x', '@switchyard/test-kit', 'devDependencies'), []);
  t.same(declares('tests/system', '@switchyard/test-kit'), []);
  t.equal(imports(ingress, 'src/app.ts', 'fastify'), undefined);
  t.equal(imports(ingress, 'src/app.ts', '@switchyard/jobs'), undefined);
  t.equal(imports(ingress, 'test/a.test.ts', '@switchyard/test-kit'), undefined);
  t.equal(imports(ingress, 'test/a.test.ts', 'tap'), undefined);
  t.equal(
    imports(ingress, 'src/processors/a.ts', '../merchants/b.ts', 'services/ingress/src/merchants/b.ts'),
    undefined,
  );
});

t.test('what breaks the rule by an import is named', async (t) => {
  t.match(imports(ingress, 'src/app.ts', '@switchyard/notifier'), /meet only on a queue/);
  t.match(
    imports(ingress, 'src/app.ts', '../../notifier/src/a.ts', 'services/notifier/src/a.ts'),
    /leaves its workspace/,
  );
  t.match(imports(ingress, 'src/processors/a.ts', 'bullmq'), /neither Fastify, BullMQ/);
  t.match(
    imports(ingress, 'src/processors/a.ts', '../routes/b.ts', 'services/ingress/src/routes/b.ts'),
    /nothing of routes/,
  );
  t.match(imports(ingress, 'src/app.ts', '@switchyard/test-kit'), /for tests only/);
  t.match(imports(ingress, 'src/app.ts', 'tap'), /not among the dependencies/);
  t.match(imports(ingress, 'src/app.ts', 'lodash/get'), /not among the dependencies/);
  t.match(imports(jobs, 'src/a.ts', '@fastify/cors'), /knows nothing of HTTP/);
});
