/** The time that a call usually takes. */
export interface UsualDelay {
  /** Takes in how long a call has taken. */
  observe(tookMs: number): void;
  /** The median of the latest calls, or the shortest of the very latest where that is less, in ms; 0 before the first ones. */
  readonly ms: number;
}

/** Half a second of a thousand messages a second: a stop of a quarter of a second leaves the median alone, a longer way soon moves it. */
const REMEMBERED = 512;
/** A way that gets shorter is noticed at once: those that take it come closer to those before them. A single quick call counts for so many. */
const LATEST = 16;
const BETWEEN_LOOKS = 64;

/** Makes the measure. What one call takes longer, or a stop that many have waited for, does not show in it. */
export function createUsualDelay(): UsualDelay {
  const tookMs = new Float64Array(REMEMBERED);
  const veryLatest = new Float64Array(LATEST);
  let observed = 0;
  let medianMs = 0;
  let ms = 0;
  return {
    observe(latestMs) {
      tookMs[observed % REMEMBERED] = latestMs;
      veryLatest[observed % LATEST] = latestMs;
      observed += 1;
      if (observed % BETWEEN_LOOKS === 0)
        medianMs = medianOf(tookMs.slice(0, Math.min(observed, REMEMBERED)));
      ms = Math.min(medianMs, ...veryLatest);
    },
    get ms() {
      return ms;
    },
  };
}

/** @param values sorted here. */
function medianOf(values: Float64Array): number {
  return values.sort()[values.length >> 1]!;
}
