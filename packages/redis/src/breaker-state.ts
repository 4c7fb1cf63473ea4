/** When a breaker opens, and for how long. */
export interface BreakerPolicy {
  /** Calls of the last one to two windows are looked at. */
  windowMs: number;
  /** It opens at this many failures at the earliest … */
  minimumFailures: number;
  /** … and only when they are at least this share of all calls, 0 to 1. */
  failureRatio: number;
  /** How long it stays open; doubles with every probe that fails. */
  openMs: number;
  maxOpenMs: number;
  /** How long a probe may take before another instance may send one. Longer than the call's own time-out. */
  probeMs: number;
}

/** Everything a breaker remembers. All zero is closed. Times are ms since 1970, on one clock. */
export interface BreakerState {
  openUntil: number;
  probeUntil: number;
  probe: string;
  /** How often it has opened in a row. */
  openings: number;
  window: number;
  failures: number;
  successes: number;
  lastFailures: number;
  lastSuccesses: number;
}

/** What a breaker says to one call. */
export interface BreakerAnswer {
  phase: 'closed' | 'open' | 'probe';
  /** When open: how long until asking again makes sense. */
  waitMs: number;
}

/** What may happen to a breaker. `sync` brings news of calls, `admit` asks for a probe, `settle` ends one. */
export type BreakerEvent =
  | { type: 'sync'; failures: number; successes: number }
  | { type: 'admit'; probe: string }
  | { type: 'settle'; probe: string; result: 'success' | 'failure' };

/** A breaker that has seen nothing. */
export function closedBreaker(): BreakerState {
  return {
    openUntil: 0,
    probeUntil: 0,
    probe: '',
    openings: 0,
    window: 0,
    failures: 0,
    successes: 0,
    lastFailures: 0,
    lastSuccesses: 0,
  };
}

/**
 * The breaker's state machine, for the time in which Redis is away. `breaker-script.ts` says the same in Lua;
 * a test holds the two against each other.
 *
 * @param state changed in place.
 * @param now ms since 1970.
 */
export function advanceBreaker(
  state: BreakerState,
  event: BreakerEvent,
  now: number,
  policy: BreakerPolicy,
): BreakerAnswer {
  if (event.type === 'settle') settle(state, event, now, policy);
  if (event.type === 'sync' && state.openUntil === 0) count(state, event, now, policy);
  if (state.openUntil === 0) return { phase: 'closed', waitMs: 0 };
  if (now < state.openUntil) return { phase: 'open', waitMs: state.openUntil - now };
  if (now < state.probeUntil) return { phase: 'open', waitMs: state.probeUntil - now };
  if (event.type !== 'admit') return { phase: 'open', waitMs: 0 };
  state.probe = event.probe;
  state.probeUntil = now + policy.probeMs;
  return { phase: 'probe', waitMs: 0 };
}

function settle(
  state: BreakerState,
  event: Extract<BreakerEvent, { type: 'settle' }>,
  now: number,
  policy: BreakerPolicy,
): void {
  // A probe that took too long has lost its say to the one after it.
  if (state.probe !== event.probe) return;
  if (event.result === 'success') {
    Object.assign(state, closedBreaker());
    return;
  }
  state.probe = '';
  state.probeUntil = 0;
  open(state, now, policy);
}

function count(
  state: BreakerState,
  event: Extract<BreakerEvent, { type: 'sync' }>,
  now: number,
  policy: BreakerPolicy,
): void {
  const window = Math.floor(now / policy.windowMs);
  if (window !== state.window) {
    const follows = window === state.window + 1;
    state.lastFailures = follows ? state.failures : 0;
    state.lastSuccesses = follows ? state.successes : 0;
    state.failures = 0;
    state.successes = 0;
    state.window = window;
  }
  state.failures += event.failures;
  state.successes += event.successes;
  const failures = state.failures + state.lastFailures;
  const calls = failures + state.successes + state.lastSuccesses;
  if (event.failures > 0 && failures >= policy.minimumFailures && failures >= policy.failureRatio * calls)
    open(state, now, policy);
}

function open(state: BreakerState, now: number, policy: BreakerPolicy): void {
  state.openUntil = now + Math.min(policy.openMs * 2 ** Math.min(state.openings, 20), policy.maxOpenMs);
  state.openings += 1;
}
