import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from './child.ts';
import { StartError } from './start-error.ts';

/**
 * Waits until a process answers 200.
 *
 * @param options where it answers, and the file with its output, for the message.
 * @throws StartError when it ends, or is not ready after `timeoutMs`.
 */
export async function awaitReady(
  child: Child,
  options: { url: string; logFile: string; timeoutMs: number },
): Promise<void> {
  const { url, logFile, timeoutMs } = options;
  const deadline = performance.now() + timeoutMs;
  let ended: number | string | undefined;
  void child.firstExit.then((how) => {
    ended = how;
  });
  while (ended === undefined && performance.now() < deadline) {
    const isReady = await fetch(url, { signal: AbortSignal.timeout(2000) }).then(
      async (response) => {
        await response.body?.cancel();
        return response.ok;
      },
      () => false,
    );
    if (isReady) return;
    await Promise.race([delay(50), child.firstExit]);
  }
  const what =
    ended === undefined ? `is not ready after ${timeoutMs / 1000} s` : `could not start (${ended})`;
  throw new StartError(`\n${child.name} ${what}. All that it said is in ${logFile}.`);
}
