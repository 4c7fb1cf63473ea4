#!/usr/bin/env node
// The entrance of every npm script: sets up what the command needs on a machine that has only Node 20 and npm, then
// runs the command under Node 24. Plain JavaScript without dependencies, because it runs before anything is installed.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { findNode24 } from './bootstrap/node-24.mjs';
import { ensureMariadb, ensureRedis } from './bootstrap/programs.mjs';
import { SetupError } from './bootstrap/report.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const commands = {
  start: { script: 'scripts/start.ts', redis: 'unless configured' },
  dev: { script: 'scripts/dev.ts', redis: 'unless configured' },
  test: { script: 'scripts/test.ts', redis: 'always', mariadb: true },
  'test:compose': { script: 'tests/compose/run.ts' },
  'test:session': { script: 'scripts/test-session.ts' },
  'check-dependencies': { script: 'scripts/check-dependencies.ts' },
  'env:example': { script: 'scripts/write-env-example.ts' },
  'errors:doc': { script: 'scripts/write-errors-doc.ts' },
  bench: { script: 'scripts/bench.ts', redis: 'always' },
  'chaos:ingress': { script: 'services/ingress/test/chaos/main.ts', redis: 'always' },
  'fuzz:ingress': { script: 'services/ingress/test/fuzz/main.ts', redis: 'always' },
  'chaos:flows': { script: 'tests/system/chaos/flows.ts', redis: 'always', mariadb: true },
  'chaos:runs': { script: 'services/flow-engine/test/chaos/main.ts', redis: 'always', mariadb: true },
  'chaos:messages': {
    script: 'services/campaign-sender/test/chaos/main.ts',
    redis: 'always',
    mariadb: true,
  },
  run: { usage: 'run <program> [arguments]: any program of node_modules/.bin' },
};

try {
  const [name, ...args] = process.argv.slice(2);
  const command = commands[name];
  if (!command || (name === 'run' && args.length === 0))
    throw new SetupError(`usage: node scripts/bootstrap.mjs ${Object.keys(commands).join('|')} [arguments]`);
  // First what may need the reader's hand, then what only takes time.
  if (command.redis) await ensureRedis(root, command.redis);
  if (command.mariadb) await ensureMariadb();
  await ensureDependencies(root);
  const node = await findNode24(root);
  const [file, ...rest] = command.script
    ? [node, '--conditions=@switchyard/source', join(root, command.script), ...args]
    : args;
  await become(file, rest, dirname(node));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** Runs the command in this process's place: same terminal, same signals, same exit. */
function become(file, args, nodeFolder) {
  const path = [nodeFolder, join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const child = spawn(file, args, {
    stdio: 'inherit',
    env: { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: '1' },
  });
  // A terminal signals the whole process group, npm and service managers this process alone: pass it on in either case.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new SetupError(`${file} can't be run: ${error.message}`)));
    child.once('exit', (code, signal) => {
      process.exitCode = code ?? 128 + constants.signals[signal];
      resolve();
    });
  });
}
