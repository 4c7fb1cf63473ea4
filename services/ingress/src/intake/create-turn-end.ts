import type { RedisClient } from '@switchyard/redis';

/**
 * Runs what was put off to the end of this turn, all of it together, and lets the commands that it sends leave in one write.
 *
 * @returns takes what is to be run.
 */
export function createTurnEnd(client: RedisClient): (run: () => void) => void {
  let waiting: (() => void)[] = [];

  function runAll(): void {
    const runs = waiting;
    waiting = [];
    const stream = 'stream' in client && client.stream?.writable ? client.stream : undefined;
    stream?.cork();
    try {
      for (const run of runs) run();
    } finally {
      stream?.uncork();
    }
  }

  return (run) => {
    if (waiting.length === 0) setImmediate(runAll);
    waiting.push(run);
  };
}
