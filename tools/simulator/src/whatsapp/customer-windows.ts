import { BoundedMap } from '../bounded-map.ts';

/** When each person last wrote to each number. */
export interface CustomerWindows {
  /** Opens, or keeps open, the window of a pair (`<phone_number_id>/<address>`). */
  open(pair: string): void;
  isOpen(pair: string, durationMs: number): boolean;
  clear(): void;
}

/** Creates {@link CustomerWindows}. */
export function createCustomerWindows(now: () => number = Date.now, limit = 500_000): CustomerWindows {
  const lastInboundMs = new BoundedMap<string, number>(limit);
  return {
    open: (pair) => lastInboundMs.set(pair, now()),
    isOpen(pair, durationMs) {
      const openedAtMs = lastInboundMs.get(pair);
      return openedAtMs !== undefined && now() - openedAtMs < durationMs;
    },
    clear: () => lastInboundMs.clear(),
  };
}
