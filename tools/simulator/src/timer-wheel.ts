/** Many delayed calls on one interval: what a timer per status would cost at thousands of sends per second. */
export interface TimerWheel {
  /** Calls still to come. */
  readonly size: number;
  /** Calls `run` after `delayMs`, to the grain of the wheel and never early. */
  schedule(delayMs: number, run: () => void): void;
  /** Forgets everything scheduled. */
  clear(): void;
}

interface Entry {
  rounds: number;
  readonly run: () => void;
}

/**
 * Creates a {@link TimerWheel}. Its interval runs only while something is scheduled.
 *
 * @param tickMs the grain.
 * @param slotCount slots of one turn; longer delays take more turns.
 */
export function createTimerWheel(tickMs = 10, slotCount = 1024): TimerWheel {
  const slots: Entry[][] = Array.from({ length: slotCount }, () => []);
  let size = 0;
  let cursor = 0;
  let cursorAtMs = 0;
  let interval: NodeJS.Timeout | undefined;

  function stop(): void {
    clearInterval(interval);
    interval = undefined;
  }

  function advance(): void {
    const nowMs = performance.now();
    while (cursorAtMs + tickMs <= nowMs && size > 0) {
      cursorAtMs += tickMs;
      cursor = (cursor + 1) % slotCount;
      const due = slots[cursor] as Entry[];
      if (due.length === 0) continue;
      const later: Entry[] = [];
      // Replaced first: a call may schedule into this very slot, one turn ahead.
      slots[cursor] = later;
      for (const entry of due) {
        if (entry.rounds > 0) {
          entry.rounds -= 1;
          later.push(entry);
          continue;
        }
        size -= 1;
        entry.run();
      }
    }
    if (size === 0) stop();
  }

  return {
    get size() {
      return size;
    },
    schedule(delayMs, run) {
      const nowMs = performance.now();
      if (interval === undefined) {
        cursorAtMs = nowMs;
        interval = setInterval(advance, tickMs);
      }
      const ticks = Math.max(1, Math.ceil((nowMs - cursorAtMs + Math.max(0, delayMs)) / tickMs));
      const rounds = Math.floor((ticks - 1) / slotCount);
      (slots[(cursor + ticks) % slotCount] as Entry[]).push({ rounds, run });
      size += 1;
    },
    clear() {
      for (let slot = 0; slot < slotCount; slot += 1) slots[slot] = [];
      size = 0;
      stop();
    },
  };
}
