import { BoundedMap } from '../bounded-map.ts';

/** How often one number may write to one person. */
export interface PairRule {
  /** One message per this long. */
  readonly intervalMs: number;
  /** Messages that one interval may hold, borrowed from those that follow. */
  readonly burst: number;
}

/** The provider's limit per pair of number and person. */
export interface PairLimit {
  /** @returns 0 when the message may go (it is counted then), else the milliseconds until one may. */
  take(pair: string, rule: PairRule): number;
  clear(): void;
}

/**
 * Creates a {@link PairLimit}.
 *
 * As the provider words it: an interval (6 s) may hold a burst (45); after n messages the pair waits as long as they
 * would have taken at one per interval, so 20 at once mean two minutes.
 */
export function createPairLimit(now: () => number = () => performance.now(), limit = 200_000): PairLimit {
  const pairs = new BoundedMap<string, { startMs: number; count: number }>(limit);
  return {
    take(pair, { intervalMs, burst }) {
      const nowMs = now();
      const open = pairs.get(pair);
      if (open && nowMs < open.startMs + open.count * intervalMs) {
        const isBurst = nowMs < open.startMs + intervalMs && open.count < burst;
        if (!isBurst) return Math.ceil(open.startMs + open.count * intervalMs - nowMs);
        open.count += 1;
        return 0;
      }
      pairs.set(pair, { startMs: nowMs, count: 1 });
      return 0;
    },
    clear: () => pairs.clear(),
  };
}
