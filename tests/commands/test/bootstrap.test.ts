import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';

const root = dirname(dirname(dirname(import.meta.dirname)));

async function run(file: string, args: string[], env: Record<string, string>) {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}

t.test('without Redis and without a way to install it, start says in one line what to do', async (t) => {
  const bin = t.testdir();
  symlinkSync(process.execPath, join(bin, 'node'));
  const { code, output } = await run(process.execPath, [join(root, 'scripts/bootstrap.mjs'), 'start'], {
    PATH: bin,
  });
  t.equal(code, 1);
  t.match(output, /^Redis is needed .*install it \(.+\), or set REDIS_URL .*\n$/);
  t.equal(output.split('\n').length, 2);
});

t.test('an unknown command is answered with the known ones', async (t) => {
  const { code, output } = await run(
    process.execPath,
    [join(root, 'scripts/bootstrap.mjs'), 'fly'],
    process.env as never,
  );
  t.equal(code, 1);
  t.match(output, /usage: .*start\|dev\|test/);
});

/** Runs the CI script beside a program called npm that answers as the case says. */
async function runCi(t: Test, answers: Record<string, string>) {
  const folder = t.testdir();
  mkdirSync(join(folder, 'project/.ci'), { recursive: true });
  mkdirSync(join(folder, 'bin'));
  copyFileSync(join(root, '.ci/run'), join(folder, 'project/.ci/run'));
  const cases = Object.entries(answers).map(([name, answer]) => `  *${name}) ${answer} ;;`);
  writeFileSync(join(folder, 'bin/npm'), `#!/bin/sh\ncase "$*" in\n${cases.join('\n')}\nesac\n`);
  chmodSync(join(folder, 'bin/npm'), 0o755);
  const { code, output } = await run('bash', [join(folder, 'project/.ci/run')], {
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
  });
  return { code, last: output.trimEnd().split('\n').at(-1), output };
}

const good = {
  'test:compose': 'echo "4 passed, 0 failed"',
  test: 'echo "10 passed, 0 failed"',
  lint: 'true',
  typecheck: 'true',
  'check:dependencies': 'true',
};

t.test('CI’s last line sums tests, checks and conversations', async (t) => {
  const { code, last, output } = await runCi(t, good);
  t.equal(last, '17 passed, 0 failed');
  t.equal(code, 0);
  t.match(output, /use the Docker of this machine as it is/);
});

t.test('CI counts a failed check, a failed test, and a run that ends without a result', async (t) => {
  const failedCheck = await runCi(t, { ...good, lint: 'false' });
  t.match(failedCheck, { code: 1, last: '16 passed, 1 failed' });
  const failedTest = await runCi(t, { ...good, test: 'echo "8 passed, 2 failed"; exit 1' });
  t.match(failedTest, { code: 1, last: '15 passed, 2 failed' });
  const silent = await runCi(t, { ...good, 'test:compose': 'echo hello; exit 0' });
  t.match(silent, { code: 1, last: '13 passed, 1 failed' });
  const lying = await runCi(t, { ...good, test: 'echo "10 passed, 0 failed"; exit 1' });
  t.match(lying, { code: 1, last: '17 passed, 1 failed' });
});
