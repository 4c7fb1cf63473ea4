import { callsBusy } from '../errors.ts';

/** Keeps one slow provider from taking every place that work is done at. */
export interface Bulkhead {
  /**
   * Runs work if there is a place for it.
   *
   * @param key who shares a place: a merchant, a host.
   * @throws CALLS_BUSY (`later`), else what the work throws.
   */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

const PAUSE_MS = 1000;

/** Makes a bulkhead of one process: so many calls at a time in all, and for each key. */
export function createBulkhead(limits: { total: number; perKey: number }): Bulkhead {
  const running = new Map<string, number>();
  let total = 0;
  return {
    async run(key, work) {
      const own = running.get(key) ?? 0;
      if (total >= limits.total || own >= limits.perKey)
        // Spread, so that those who were sent away together do not come back together.
        throw callsBusy('too many calls are under way', {
          delayMs: Math.round(PAUSE_MS * (1 + Math.random())),
        });
      total += 1;
      running.set(key, own + 1);
      try {
        return await work();
      } finally {
        total -= 1;
        const left = (running.get(key) ?? 1) - 1;
        if (left === 0) running.delete(key);
        else running.set(key, left);
      }
    },
  };
}
