import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

/** First pause between two probes; doubles up to the longest. */
const firstProbeMs = 500;
const longestProbeMs = 15_000;

/** A probe that takes longer counts as no. */
const probeTimeoutMs = 10_000;

/** Whether the dependency is back. Throwing counts as no. */
export type Probe = () => Promise<boolean>;

/** Stops a worker while what it depends on is away. */
export interface DependencyPause {
  /** Pauses, probes until the dependency is back, resumes. Does nothing while that is under way. */
  begin(code: string): void;
  isActive(): boolean;
  /** Ends the probing; the worker stays as it is. */
  close(): void;
}

/** Makes a {@link DependencyPause}. `pause` and `resume` act on the worker. */
export function createDependencyPause({
  probe,
  pause,
  resume,
  logger,
}: {
  probe: Probe;
  pause: () => Promise<void>;
  resume: () => Promise<void>;
  logger: Logger;
}): DependencyPause {
  const closing = new AbortController();
  let underWay: Promise<void> | undefined;

  async function untilBack(code: string): Promise<void> {
    logger.warn({ code }, 'a dependency is away: the worker pauses and probes');
    const awaySinceMs = Date.now();
    await pause();
    for (let pauseMs = firstProbeMs; ; pauseMs = Math.min(pauseMs * 2, longestProbeMs)) {
      await sleep(pauseMs, undefined, { signal: closing.signal });
      const tooLate = sleep(probeTimeoutMs, false, { signal: closing.signal, ref: false });
      if (await Promise.race([probe().catch(() => false), tooLate])) break;
    }
    await resume();
    logger.info({ code, awayMs: Date.now() - awaySinceMs }, 'the dependency is back: the worker resumes');
  }

  return {
    begin(code) {
      if (underWay || closing.signal.aborted) return;
      underWay = untilBack(code)
        .catch((error) => {
          if (!closing.signal.aborted) logger.error({ err: error }, 'probing failed');
        })
        .finally(() => {
          underWay = undefined;
        });
    },
    isActive: () => underWay !== undefined,
    close: () => closing.abort(),
  };
}
