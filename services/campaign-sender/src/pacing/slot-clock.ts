import { setTimeout as pause } from 'node:timers/promises';
import { createBaseDelay } from './base-delay.ts';
import type { AdmissionRequest } from './create-admission.ts';
import { FAST_MICROS } from './lanes.ts';

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
  /** Takes in how long the provider's answer to a call took, when it has come: what held up a fast number's calls, others come after. */
  answered(
    request: Pick<AdmissionRequest, 'senderId' | 'pace'>,
    slot: Slot,
    tookMs: number,
    nowMs: number,
  ): void;
  /** How long it still is until a slot may be used, in ms; 0: now, and what comes after it keeps its distance. */
  timeLeft(senderId: string, slot: Slot, nowMs: number): number;
}

interface Lag {
  ms: number;
  sinceMs: number;
  lostMs: number;
}

interface Arrivals {
  /** How late after their slots the latest calls came to the provider, as far as the answers tell. */
  lateMs: number[];
  sinceMs: number;
}

/** A number's slots come closer together by this share until lost time is made up for: a quarter of what `Pace` leaves unused. */
const CATCH_UP = 0.005;
/** Later than this a slot is given up. In ms. */
export const LONGEST_LAG_MS = 100;
/** So late is on time: if each short delay were handed on to those that follow, they would add up. A quarter of what `Pace` leaves unused. */
export const TOLERANCE_MS = 6;
/** So many calls in turn that were late are no accident: they have waited for the same thing. */
const IN_TURN = 4;
/** A timer of 1 ms may fire a little early, never by more. */
const EARLY_MS = 0.5;
/** Numbers that are remembered before those that have caught up are forgotten, once in so many ms. */
const NUMBERS_TO_LOOK_THROUGH = 1000;
const BETWEEN_LOOKS_MS = 1000;

/**
 * Makes the clock. A process that was busy finds several slots in the past. Used at once they would come in a heap, and the provider
 * counts each second; so all that follow are as late as the latest, and catch up slowly, or by time that nobody has reserved. None is
 * lost, and no second holds more than the rate, a two-hundredth, and what comes in the tolerance. Calls that left on time and were held up
 * on their way, or at the provider's door, come in a heap as well: that is told by their answers.
 */
export function createSlotClock(): SlotClock {
  const lags = new Map<string, Lag>();
  const arrivals = new Map<string, Arrivals>();
  const baseDelay = createBaseDelay();
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
      for (const [known, { sinceMs }] of arrivals) if (sinceMs < lookAgainAtMs) arrivals.delete(known);
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
    answered({ senderId, pace }, { atMs, lostMs }, tookMs, nowMs) {
      baseDelay.observe(tookMs, nowMs);
      if (pace.intervalMicros > FAST_MICROS) return;
      const known = arrivals.get(senderId) ?? { lateMs: [], sinceMs: nowMs };
      if (known.lateMs.length === 0) arrivals.set(senderId, known);
      if (known.lateMs.push(nowMs - baseDelay.ms - atMs) > IN_TURN) known.lateMs.shift();
      known.sinceMs = nowMs;
      if (known.lateMs.length < IN_TURN) return;
      const ms = Math.min(...known.lateMs, LONGEST_LAG_MS) - TOLERANCE_MS;
      if (ms > lagOf(senderId, lostMs, nowMs)) remember(senderId, { ms, sinceMs: nowMs, lostMs });
    },
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
