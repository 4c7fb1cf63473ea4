/** The time that a call takes at least. */
export interface BaseDelay {
  /** Takes in how long a call has taken. */
  observe(tookMs: number, nowMs: number): void;
  /** The shortest of the latest calls, in ms; 0 before the first. */
  readonly ms: number;
}

/** The network may have changed after so long. In ms. */
const REMEMBERED_MS = 10_000;

/** Makes the measure: the shortest time of ten to twenty seconds (RFC 6817 keeps its base delay alike), whatever made others longer. */
export function createBaseDelay(): BaseDelay {
  let before = Number.POSITIVE_INFINITY;
  let current = Number.POSITIVE_INFINITY;
  let sinceMs = Number.NEGATIVE_INFINITY;
  return {
    observe(tookMs, nowMs) {
      if (nowMs - sinceMs > REMEMBERED_MS) {
        before = nowMs - sinceMs > 2 * REMEMBERED_MS ? Number.POSITIVE_INFINITY : current;
        current = Number.POSITIVE_INFINITY;
        sinceMs = nowMs;
      }
      current = Math.min(current, tookMs);
    },
    get ms() {
      const least = Math.min(before, current);
      return least === Number.POSITIVE_INFINITY ? 0 : least;
    },
  };
}
