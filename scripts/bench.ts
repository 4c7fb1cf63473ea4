// `npm run bench -- <name> [arguments]`: runs bench/<name>.ts under Node 24.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const folder = join(dirname(import.meta.dirname), 'bench');
// A `-bare` file is what another one measures against.
const names = globSync('*.ts', { cwd: folder })
  .map((file) => basename(file, '.ts'))
  .filter((name) => !name.endsWith('-bare'))
  .toSorted();
const [name = '', ...args] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`usage: npm run bench -- ${names.join('|')} [arguments]`);
  process.exit(1);
}
const { status } = spawnSync(
  process.execPath,
  ['--conditions=@switchyard/source', join(folder, `${name}.ts`), ...args],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
