/** Calls that are to come at their very time, since somebody measures them. */
export interface LateCalls {
  /** Calls `run` after `delayMs`, counted from when the event loop's turn began. */
  schedule(delayMs: number, run: () => void): void;
  /** Forgets everything scheduled. */
  clear(): void;
}

/** Creates {@link LateCalls}: a timer each. Node keeps those of one length in one list, so a thousand per second cost little. */
export function createLateCalls(): LateCalls {
  const timers = new Set<NodeJS.Timeout>();
  return {
    schedule(delayMs, run) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        run();
      }, delayMs);
      timers.add(timer);
    },
    clear() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
