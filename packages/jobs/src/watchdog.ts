import type { RedisClient } from './job-types.ts';

/** How often the queue is looked at. */
const checkEveryMs = 3000;

/** What the watchdog must know of its worker. */
export interface Watched {
  /** Counts starts and ends of attempts: a change is progress. */
  activity(): number;
  /** Paused, closing, waiting for a dependency: no progress is expected. */
  isIdleOnPurpose(): boolean;
  /** All slots are taken. Each attempt has a time limit, so that is a state that ends. */
  isFull(): boolean;
}

/** Tells a worker that is idle because there is nothing to do from one that is wedged. */
export interface Watchdog {
  start(): void;
  /** false once jobs have waited for `stuckAfterMs` in which this worker neither started nor ended one. */
  isProgressing(): boolean;
  close(): void;
}

/**
 * Makes a {@link Watchdog}.
 *
 * A ping proves little: workers of other versions went on "running" for ever after an outage (queues.md, section 5). So the proof is
 * progress, looked for every few seconds with one round trip. While Redis doesn't answer, nothing is held against the worker.
 *
 * @param keyPrefix of the queue's keys, with the colon: `bull:messages:`
 */
export function createWatchdog({
  connection,
  keyPrefix,
  watched,
  rateMax,
  stuckAfterMs,
  onStuck,
}: {
  connection: RedisClient;
  keyPrefix: string;
  watched: Watched;
  rateMax: number | undefined;
  stuckAfterMs: number;
  onStuck: (facts: { waiting: number; sinceMs: number }) => void;
}): Watchdog {
  let timer: NodeJS.Timeout | undefined;
  let lastActivity = -1;
  let stuckSinceMs: number | undefined;
  let stuck = false;
  let looking = false;

  function progress(): void {
    stuckSinceMs = undefined;
    stuck = false;
  }

  /** Jobs that this worker could start now; 0 while the queue is paused, at its rate or at its global concurrency. */
  async function startable(): Promise<number> {
    const nowMs = Date.now();
    const answers = await connection
      .pipeline()
      .llen(`${keyPrefix}wait`)
      .zcard(`${keyPrefix}prioritized`)
      // A delayed job's score is its time × 4096 plus a counter.
      .zcount(`${keyPrefix}delayed`, 0, nowMs * 0x1000)
      .hmget(`${keyPrefix}meta`, 'paused', 'concurrency', 'max')
      .llen(`${keyPrefix}active`)
      .get(`${keyPrefix}limiter`)
      .exec();
    const [wait, prioritized, due, meta, active, limiter] = (answers ?? []).map(([error, value]) => {
      if (error) throw error;
      return value;
    });
    const [paused, concurrency, globalMax] = meta as [string | null, string | null, string | null];
    if (paused !== null) return 0;
    if (concurrency !== null && Number(active) >= Number(concurrency)) return 0;
    const max = globalMax === null ? rateMax : Number(globalMax);
    if (max !== undefined && Number(limiter ?? 0) >= max) return 0;
    return Number(wait) + Number(prioritized) + Number(due);
  }

  async function look(): Promise<void> {
    const activity = watched.activity();
    const moved = activity !== lastActivity;
    lastActivity = activity;
    if (moved || watched.isIdleOnPurpose() || watched.isFull()) return progress();
    const askedAtMs = Date.now();
    const waiting = await startable();
    if (waiting === 0) return progress();
    stuckSinceMs ??= askedAtMs;
    const sinceMs = Date.now() - stuckSinceMs;
    if (sinceMs < stuckAfterMs || stuck) return;
    stuck = true;
    onStuck({ waiting, sinceMs });
  }

  return {
    start() {
      timer ??= setInterval(
        () => {
          if (looking) return;
          looking = true;
          look()
            // Redis away or hung is not the worker's fault; its own error events tell of it.
            .catch(progress)
            .finally(() => {
              looking = false;
            });
        },
        Math.min(checkEveryMs, stuckAfterMs / 2),
      ).unref();
    },
    isProgressing: () => !stuck,
    close() {
      clearInterval(timer);
    },
  };
}
