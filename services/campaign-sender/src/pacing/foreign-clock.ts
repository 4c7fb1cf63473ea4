/** Another machine's clock, told in the time of `performance.now()`. */
export interface ForeignClock {
  /**
   * Takes in what the clock said between two moments here.
   *
   * @param readingMs the clock's reading.
   * @param sentMs when it was asked, by `performance.now()`.
   * @param heardMs when the answer was read.
   */
  observe(readingMs: number, sentMs: number, heardMs: number): void;
  /** When, by `performance.now()`, the clock says so. Needs one observation. */
  toLocal(readingMs: number): number;
}

interface Sample {
  /** The clock's lead over ours, as far as can be told. */
  leadMs: number;
  /** … which is wrong by so much at most. */
  errorMs: number;
  takenAtMs: number;
}

/** Clocks drift apart by less than this share of time (NTP slews by 500 ppm at most). */
const DRIFT = 0.0005;

/**
 * Makes the clock: of several answers the one that came fastest tells best (RFC 5905, the clock filter), and its error grows by the
 * drift until a better one comes. An answer that contradicts it shows that the clock was set: that one is believed.
 */
export function createForeignClock(): ForeignClock {
  let best: Sample | undefined;
  return {
    observe(readingMs, sentMs, heardMs) {
      const sample: Sample = {
        leadMs: readingMs - (sentMs + heardMs) / 2,
        errorMs: (heardMs - sentMs) / 2,
        takenAtMs: heardMs,
      };
      if (best) {
        const errorMs = best.errorMs + (heardMs - best.takenAtMs) * DRIFT;
        const contradicts = Math.abs(sample.leadMs - best.leadMs) > errorMs + sample.errorMs + 1;
        if (sample.errorMs > errorMs && !contradicts) return;
      }
      best = sample;
    },
    toLocal: (readingMs) => readingMs - (best?.leadMs ?? 0),
  };
}
