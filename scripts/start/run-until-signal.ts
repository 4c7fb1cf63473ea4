import { runAll } from './run-all.ts';
import { StartError } from './start-error.ts';

/** A terminal's Ctrl-C arrives here more than once: from the terminal, and again from npm. */
const repeatMs = 2000;

/** {@link runAll} until SIGINT, SIGTERM or SIGHUP; a second Ctrl-C, later, does not wait. Then exits. */
export async function runUntilSignal(mode: 'start' | 'dev'): Promise<never> {
  const stop = new AbortController();
  let firstAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (firstAt !== undefined && performance.now() - firstAt > repeatMs) process.exit(1);
      firstAt ??= performance.now();
      stop.abort();
    });
  try {
    await runAll(mode, stop.signal);
    process.exit(0);
  } catch (error) {
    console.error(error instanceof StartError ? error.message : error);
    process.exit(1);
  }
}
