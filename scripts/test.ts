// `npm test [workspace …]`: builds, runs every workspace's tests on one MariaDB, and sums what they really came to.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMysqlInstalled, startMysql } from '../packages/test-kit/src/start-mysql.ts';
import { readResults, type TestResult } from './testing/read-results.ts';
import { listWorkspaces, type Workspace } from './testing/workspaces.ts';

const root = dirname(import.meta.dirname);
const isCi = Boolean(process.env.CI);
const chosen = process.argv.slice(2);

/** Runs turbo; resolves to its exit code. */
function turbo(...args: string[]): Promise<number> {
  const child = spawn(join(root, 'node_modules/.bin/turbo'), ['run', ...args, '--output-logs=errors-only'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function resultFile(workspace: Workspace): string {
  return join(root, workspace.path, '.tap/out.tap');
}

const workspaces = listWorkspaces(root).filter(
  ({ manifest, directory, path }) =>
    manifest.scripts?.test && (chosen.length === 0 || chosen.includes(directory) || chosen.includes(path)),
);
if (workspaces.length === 0) {
  console.error(`No workspace with tests is called ${chosen.join(' or ')}.`);
  process.exit(1);
}
// A result that an earlier run left behind must not pass for this run's.
for (const workspace of workspaces) rmSync(resultFile(workspace), { force: true });

if (!process.env.TEST_MYSQL_URL && isMysqlInstalled()) process.env.TEST_MYSQL_URL = (await startMysql()).url;

// Each test file is a process that loads much: compiled once, and not read again by tap's bookkeeping for coverage.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules/.cache/compiled');
process.env._TAPJS_PROCESSINFO_EXCLUDE_ ??= '/./';

/** Runs the tests of workspaces in their order, some at a time; resolves to the exit code of one that failed, else 0. */
async function test(workspaces: readonly Workspace[], concurrency: number): Promise<number> {
  let failure = 0;
  const remaining = workspaces.values();
  const lanes = Array.from({ length: concurrency }, async () => {
    for (const workspace of remaining)
      failure = (await turbo('test', filterOf(workspace), ...(isCi ? ['--force'] : []))) || failure;
  });
  await Promise.all(lanes);
  return failure;
}

const filterOf = ({ manifest }: Workspace) => `--filter=${manifest.name}`;
const isIn = (folder: string) => (workspace: Workspace) => workspace.path.startsWith(`${folder}/`);
/** The longest take most of the time: first, so that in the end none of them runs on alone. */
const isLong = isIn('services');
/** These start the whole system and hold it to times that users are promised: nothing else may run beside them. */
const takesWholeMachine = isIn('tests');

const built = await turbo('build', ...workspaces.map(filterOf));
let tested = built;
if (built === 0) {
  const rest = workspaces.filter((workspace) => !isLong(workspace) && !takesWholeMachine(workspace));
  tested = await test([...workspaces.filter(isLong), ...rest], 2);
  tested = (await test(workspaces.filter(takesWholeMachine), 1)) || tested;
}

const results = workspaces.map((workspace): [Workspace, TestResult] => {
  const file = resultFile(workspace);
  return [workspace, readResults(existsSync(file) ? readFileSync(file, 'utf8') : undefined)];
});
const passed = results.reduce((sum, [, result]) => sum + result.passed, 0);
let failed = results.reduce((sum, [, result]) => sum + result.failed, 0);

// Each begins with `FAILED`, so that whoever runs this can find the failures in a long output.
for (const [{ path }, { failures, problem }] of results) {
  for (const { name, diagnostics } of failures)
    console.log([`\nFAILED ${path}: ${name}`, ...diagnostics].join('\n    '));
  if (problem) console.log(`\nFAILED ${path}: ${problem}`);
}

console.log();
const width = Math.max(...workspaces.map(({ path }) => path.length));
for (const [{ path }, result] of results) {
  const skips = result.skipped.length > 0 ? `  ${result.skipped.length} skipped` : '';
  const note = result.problem ? `  ${result.problem}` : skips;
  console.log(
    `${path.padEnd(width)}  ${String(result.passed).padStart(5)} passed  ${result.failed} failed${note}`,
  );
}
for (const [{ path }, { skipped }] of results)
  for (const name of skipped) console.log(`skipped in ${path}: ${name}`);
if (built !== 0) console.log('The build failed; no test was run.');
else if (tested !== 0 && failed === 0) {
  console.log('A workspace’s tests ended with an error although none of them failed: see above.');
  failed = 1;
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
