import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

const folder = join(import.meta.dirname, '..');
const run = promisify(execFile);

t.test('an installed clone has the command, and it draws a flow without a server', async (t) => {
  t.ok(existsSync(join(folder, '../../node_modules/.bin/switchyard')), 'npm has linked it');
  const flow = join(folder, 'test/fixtures/greet.yaml');
  const { stdout } = await run(join(folder, 'bin/switchyard.js'), [
    'flow',
    'graph',
    flow,
    '--format',
    'mermaid',
  ]);
  t.match(stdout, /^flowchart /m);
});

t.test('called wrongly it says how to call it and ends with 2', async (t) => {
  await t.rejects(run(join(folder, 'bin/switchyard.js'), ['flow', 'dance']), { code: 2, stderr: /\S/ });
});
