/** A repeatable source of chance: the same seed gives the same draws in the same order. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** True in `rate` of the calls; draws only when the rate is neither 0 nor 1. */
  chance(rate: number): boolean;
  /** Starts the sequence again. */
  seed(seed: number): void;
}

/** Creates a {@link Random} (mulberry32: fast, small, good enough for faults). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
  return {
    next,
    chance(rate) {
      if (rate <= 0) return false;
      return rate >= 1 || next() < rate;
    },
    seed(value) {
      state = value >>> 0;
    },
  };
}
