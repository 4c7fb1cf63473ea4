import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { step } from './report.mjs';

/**
 * Makes node_modules agree with package-lock.json: `npm ci` when it does not.
 *
 * A stamp in node_modules remembers the lock file that was installed, so that the usual case costs one hash.
 */
export async function ensureDependencies(root) {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).update(`${process.platform}-${process.arch}`).digest('hex');
  const stampFile = join(root, 'node_modules/.switchyard-installed');
  if (readOrEmpty(stampFile) === hash) return;
  if (!isInstalled(root, JSON.parse(lock.toString('utf8')))) {
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
    await step('Installing npm packages', 'npm', args, { cwd: root });
  }
  writeFileSync(stampFile, hash);
}

/** Whether what npm last wrote into node_modules (by `npm install` of a developer, say) is what the lock file asks for. */
function isInstalled(root, lock) {
  const text = readOrEmpty(join(root, 'node_modules/.package-lock.json'));
  if (text === '') return false;
  const installed = JSON.parse(text).packages;
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '' || !path.includes('node_modules/')) return true;
    const found = installed[path];
    return found ? found.version === wanted.version : Boolean(wanted.optional || wanted.devOptional);
  });
}

function readOrEmpty(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
