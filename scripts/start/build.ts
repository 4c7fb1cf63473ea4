import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

/** Compiles what has changed since the last time. @throws StartError with the compiler's output. */
export function build(root: string): void {
  const turbo = spawnSync(
    join(root, 'node_modules/.bin/turbo'),
    ['run', 'build', '--filter=./services/*', '--filter=./tools/*', '--output-logs=errors-only'],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  if (turbo.status !== 0)
    throw new StartError(`failed\n${turbo.stdout}${turbo.stderr}\nThe build failed: see above.`);
}
