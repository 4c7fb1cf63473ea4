/** How long a booking that nobody settled is held against the budget, at least; at most twice that. */
export const generationMs = 60_000;

/** What a provider said of its bucket. */
export interface BudgetReport {
  /** Points in the bucket when the provider answered. */
  available: number;
  /** Size of the bucket. */
  maximum: number;
  restorePerSecond: number;
}

/** A bucket as all instances know it. Points are counted in thousandths, so that one ms restores a whole number. */
export interface BudgetState {
  milli: number;
  maximum: number;
  restorePerSecond: number;
  at: number;
  generation: number;
  /** Booked in this generation, not settled. */
  pending: number;
  /** Booked in the one before. */
  lastPending: number;
}

/** A bucket that no one has used: full, as far as is assumed. */
export function freshBudget(assumed: Omit<BudgetReport, 'available'>, now: number): BudgetState {
  return {
    milli: assumed.maximum * 1000,
    maximum: assumed.maximum,
    restorePerSecond: assumed.restorePerSecond,
    at: now,
    generation: Math.floor(now / generationMs),
    pending: 0,
    lastPending: 0,
  };
}

/**
 * Books points. The same in Lua: `budget-script.ts`; a test holds the two against each other.
 *
 * @param state changed in place, unless the wait is longer than `maxWaitMs` or the bucket too small: then nothing is booked.
 * @returns how long to wait before the call, in ms.
 */
export function takeBudget(state: BudgetState, cost: number, maxWaitMs: number, now: number): number {
  restore(state, now);
  const missing = cost * 1000 - state.milli;
  const waitMs = missing <= 0 ? 0 : Math.ceil(missing / state.restorePerSecond);
  if (waitMs > maxWaitMs || cost > state.maximum) return waitMs;
  state.milli -= cost * 1000;
  state.pending += cost;
  return waitMs;
}

/**
 * Takes over what the provider said. It knows nothing of calls that are booked but not made, so these are
 * subtracted; without `settledCost` it is not known which those are, and the estimate only goes down.
 */
export function updateBudget(
  state: BudgetState,
  report: BudgetReport,
  settledCost: number | undefined,
  now: number,
): void {
  restore(state, now);
  state.maximum = report.maximum;
  state.restorePerSecond = report.restorePerSecond;
  if (settledCost === undefined) {
    state.milli = Math.min(state.milli, report.available * 1000);
    return;
  }
  const fromPending = Math.min(state.pending, settledCost);
  state.pending -= fromPending;
  state.lastPending = Math.max(0, state.lastPending - (settledCost - fromPending));
  state.milli = (report.available - state.pending - state.lastPending) * 1000;
}

function restore(state: BudgetState, now: number): void {
  const elapsedMs = Math.max(0, now - state.at);
  state.milli = Math.min(state.maximum * 1000, state.milli + Math.floor(elapsedMs * state.restorePerSecond));
  state.at = Math.max(state.at, now);
  const generation = Math.floor(state.at / generationMs);
  if (generation === state.generation) return;
  state.lastPending = generation === state.generation + 1 ? state.pending : 0;
  state.pending = 0;
  state.generation = generation;
}
