import { setTimeout as pause } from 'node:timers/promises';

/** A slot of a number's rate. */
export interface Slot {
  /** When it is, on the clock of `performance.now()`. */
  atMs: number;
  /** Time of the number that nobody has reserved, up to this slot: between two slots, what their distance holds beyond the rate's. */
  lostMs: number;
}

/** Keeps the distance between the slots that this process uses, also when it was busy and uses them late. */
export interface SlotClock {
  /**
   * Waits until a slot may be used.
   *
   * @returns how late that is, in ms.
   */
  wait(senderId: string, slot: Slot): Promise<number>;
  /** How long it still is until a slot may be used, in ms; 0: now, and what comes after it keeps its distance. */
  timeLeft(senderId: string, slot: Slot, nowMs: number): number;
}

interface Lag {
  ms: number;
  sinceMs: number;
  lostMs: number;
}

/** A number's slots come closer together by this share until lost time is made up for: a fifth of what `Pace` leaves unused. */
const CATCH_UP = 0.005;
/** Later than this a slot is given up. In ms. */
export const LONGEST_LAG_MS = 100;
/** So late is on time: timers are not exact, and if each delay were handed on, all delays would add up. In ms. */
const TOLERANCE_MS = 3;
/** A timer of 1 ms may fire a little early, never by more. */
const EARLY_MS = 0.5;
/** Numbers that are remembered before those that have caught up are forgotten, once in so many ms. */
const NUMBERS_TO_LOOK_THROUGH = 1000;
const BETWEEN_LOOKS_MS = 1000;

/**
 * Makes the clock. A process that was busy finds several slots in the past. Used at once they would come in a heap, and the provider
 * counts each second; so all that follow are as late as the latest, and catch up slowly, or by time that nobody has reserved. None is
 * lost, and no second holds more than the rate, a two-hundredth, and what comes in the tolerance.
 */
export function createSlotClock(): SlotClock {
  const lags = new Map<string, Lag>();
  let lookAgainAtMs = 0;

  function lagOf(senderId: string, lostMs: number, nowMs: number): number {
    const lag = lags.get(senderId);
    if (!lag) return 0;
    const leftMs = lag.ms - (nowMs - lag.sinceMs) * CATCH_UP - Math.max(0, lostMs - lag.lostMs);
    if (leftMs > 0) return leftMs;
    lags.delete(senderId);
    return 0;
  }

  function remember(senderId: string, lag: Lag): void {
    if (lags.size >= NUMBERS_TO_LOOK_THROUGH && lag.sinceMs >= lookAgainAtMs) {
      for (const [known, { lostMs }] of lags) lagOf(known, lostMs, lag.sinceMs);
      lookAgainAtMs = lag.sinceMs + BETWEEN_LOOKS_MS;
    }
    lags.set(senderId, lag);
  }

  function timeLeft(senderId: string, { atMs, lostMs }: Slot, nowMs: number): number {
    const lateMs = nowMs - atMs;
    if (lateMs > LONGEST_LAG_MS) return 0;
    const lagMs = lagOf(senderId, lostMs, nowMs);
    if (lateMs < lagMs - EARLY_MS) return lagMs - lateMs;
    if (lateMs > lagMs + TOLERANCE_MS)
      remember(senderId, { ms: lateMs - TOLERANCE_MS, sinceMs: nowMs, lostMs });
    return 0;
  }

  return {
    timeLeft,
    async wait(senderId, slot) {
      for (;;) {
        const nowMs = performance.now();
        const leftMs = timeLeft(senderId, slot, nowMs);
        if (leftMs === 0) return nowMs - slot.atMs;
        await pause(Math.max(1, Math.floor(leftMs)));
      }
    },
  };
}
