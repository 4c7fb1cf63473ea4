/** The time that a call usually takes. */
export interface UsualDelay {
  /** Takes in how long a call has taken. */
  observe(tookMs: number): void;
  /** The median of the latest calls, in ms; 0 before the first ones. */
  readonly ms: number;
}

/** Half a second of a thousand messages a second: a stop of a quarter of a second leaves the median alone, a longer way soon moves it. */
const REMEMBERED = 512;
const BETWEEN_LOOKS = 64;

/** Makes the measure. What one call takes longer, or a stop that many have waited for, does not show in it. */
export function createUsualDelay(): UsualDelay {
  const tookMs = new Float64Array(REMEMBERED);
  let observed = 0;
  let ms = 0;
  return {
    observe(latestMs) {
      tookMs[observed % REMEMBERED] = latestMs;
      observed += 1;
      if (observed % BETWEEN_LOOKS !== 0) return;
      const known = tookMs.slice(0, Math.min(observed, REMEMBERED)).sort();
      ms = known[known.length >> 1]!;
    },
    get ms() {
      return ms;
    },
  };
}
