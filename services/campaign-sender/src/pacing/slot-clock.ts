import { setTimeout as pause } from 'node:timers/promises';

/** Keeps the distance between the slots that this process uses, also when it was busy and uses them late. */
export interface SlotClock {
  /**
   * Waits until a slot may be used.
   *
   * @param senderId the number.
   * @param atMs the slot, on the clock of `performance.now()`.
   * @returns how late that is, in ms.
   */
  wait(senderId: string, atMs: number): Promise<number>;
  /** How long it still is until a slot may be used, in ms; 0: now, and what comes after it keeps its distance. */
  timeLeft(senderId: string, atMs: number, nowMs: number): number;
}

interface Lag {
  ms: number;
  sinceMs: number;
}

/** A number's slots come closer together by this share until lost time is made up for: a quarter of what `Pace` leaves unused. */
const CATCH_UP = 0.005;
/** What was lost beyond is not made up for: such a slot is given up. In ms. */
export const LONGEST_LAG_MS = 200;
/** A timer of 1 ms may fire a little early, never by more. */
const EARLY_MS = 0.5;
/** Numbers that are remembered before those that have caught up are forgotten. */
const NUMBERS_TO_LOOK_THROUGH = 1000;

/**
 * Makes the clock. A process that was busy finds several slots in the past. Used at once they would come in a heap, and the provider
 * counts each second; so all that follow are as late as the latest, and catch up slowly. None is lost, and no second holds more than
 * the rate and a two-hundredth.
 */
export function createSlotClock(): SlotClock {
  const lags = new Map<string, Lag>();

  function lagOf(senderId: string, nowMs: number): number {
    const lag = lags.get(senderId);
    if (!lag) return 0;
    const leftMs = lag.ms - (nowMs - lag.sinceMs) * CATCH_UP;
    if (leftMs > 0) return leftMs;
    lags.delete(senderId);
    return 0;
  }

  function remember(senderId: string, ms: number, nowMs: number): void {
    if (lags.size >= NUMBERS_TO_LOOK_THROUGH) for (const known of lags.keys()) lagOf(known, nowMs);
    lags.set(senderId, { ms, sinceMs: nowMs });
  }

  function timeLeft(senderId: string, atMs: number, nowMs: number): number {
    const lateMs = nowMs - atMs;
    if (lateMs > LONGEST_LAG_MS) return 0;
    const lagMs = lagOf(senderId, nowMs);
    if (lateMs < lagMs - EARLY_MS) return lagMs - lateMs;
    if (lateMs > lagMs) remember(senderId, lateMs, nowMs);
    return 0;
  }

  return {
    timeLeft,
    async wait(senderId, atMs) {
      for (;;) {
        const nowMs = performance.now();
        const leftMs = timeLeft(senderId, atMs, nowMs);
        if (leftMs === 0) return nowMs - atMs;
        await pause(Math.max(1, Math.floor(leftMs)));
      }
    },
  };
}
