import { setTimeout as pause } from 'node:timers/promises';
import { type Arrivals, createArrivals } from './arrivals.ts';
import type { AdmissionRequest } from './create-admission.ts';
import { FAST_MICROS } from './lanes.ts';
import { createUsualDelay } from './usual-delay.ts';

/** A slot of a number's rate. */
export interface Slot {
  /** When it is, on the clock of `performance.now()`. */
  atMs: number;
  /** Time of the number that nobody has reserved, up to this slot: between two slots, what their distance holds beyond the rate's. */
  lostMs: number;
}

/** Whose slot it is. */
export type SlotOwner = Pick<AdmissionRequest, 'senderId' | 'pace'>;

/** Says when slots may be used that this process, or what lies between it and the provider, has made late. */
export interface SlotClock {
  /**
   * Waits until a slot may be used.
   *
   * @returns how late that is, in ms.
   */
  wait(owner: SlotOwner, slot: Slot): Promise<number>;
  /**
   * Takes in how long the provider's answer to a call took, and how much of it the call waited for a connection: they tell when it arrived
   * there.
   */
  answered(owner: SlotOwner, slot: Slot, call: { tookMs: number; waitedMs?: number }): void;
  /** How long it still is until a slot may be used, in ms; 0: now, and others heed that it was. */
  timeLeft(owner: SlotOwner, slot: Slot, nowMs: number): number;
}

interface NumberState {
  /** The latest slot that told of a delay, and how late it was; those after it catch up from there. */
  lag: { ms: number; slot: Slot };
  arrivals: Arrivals;
  usedAtMs: number;
}

/** Late slots are used closer together by this share until they are on time again: a heap would be an effort for everybody. */
const CATCH_UP = 0.2;
/** Later than this a slot is given up. Longer than the time that a pace makes up for, which comes again a second later. In ms. */
export const LONGEST_LAG_MS = 300;
/** So late is on time: if each short delay were handed on to those that follow, they would add up. In ms. */
export const TOLERANCE_MS = 6;
/** A timer of 1 ms may fire a little early, never by more. */
const EARLY_MS = 0.5;
/** Of a process. */
const FIRST_CALLS = 16;
/** Numbers that have used no slot for so long are forgotten. */
const REMEMBERED_MS = 3000;

/**
 * Makes the clock. A process that was busy finds several slots in the past; calls that left on time may be held up on their way, or at the
 * provider's door, which their answers tell. No slot is lost by it: late ones are used a fifth faster than they come. But the provider
 * counts each second, so no call is made before those that lie a second's messages before it are a second old at the provider
 * (`arrivals.ts`).
 */
export function createSlotClock(): SlotClock {
  const numbers = new Map<string, NumberState>();
  const usualDelay = createUsualDelay();
  let lookAgainAtMs = 0;
  const firstCalls = new WeakSet<Slot>();
  let firstCallsLeft = FIRST_CALLS;

  function forgetUnused(nowMs: number): void {
    if (nowMs < lookAgainAtMs) return;
    for (const [senderId, { usedAtMs }] of numbers)
      if (usedAtMs < nowMs - REMEMBERED_MS) numbers.delete(senderId);
    lookAgainAtMs = nowMs + REMEMBERED_MS;
  }

  function stateOf(senderId: string, slot: Slot, nowMs: number): NumberState {
    const known = numbers.get(senderId);
    if (known) return known;
    forgetUnused(nowMs);
    const made = { lag: { ms: 0, slot }, arrivals: createArrivals(), usedAtMs: nowMs };
    numbers.set(senderId, made);
    return made;
  }

  function timeLeft({ senderId, pace }: SlotOwner, slot: Slot, nowMs: number): number {
    const lateMs = nowMs - slot.atMs;
    if (lateMs > LONGEST_LAG_MS) return 0;
    const number = stateOf(senderId, slot, nowMs);
    const lagMs = lagAt(number, slot);
    // A pace that lets several go at once is of our making, no limit of a second.
    const countsSeconds = pace.burst === 1;
    const earliestMs = countsSeconds ? number.arrivals.earliestMs(slot, pace, usualDelay.ms) : 0;
    const readyAtMs = Math.max(slot.atMs + lagMs, earliestMs);
    if (nowMs < readyAtMs - EARLY_MS) return readyAtMs - nowMs;
    if (lateMs > lagMs + TOLERANCE_MS) number.lag = { ms: lateMs - TOLERANCE_MS, slot };
    number.arrivals.left(slot, pace, nowMs);
    if (firstCallsLeft > 0) {
      firstCallsLeft -= 1;
      firstCalls.add(slot);
    }
    number.usedAtMs = nowMs;
    return 0;
  }

  return {
    timeLeft,
    answered({ senderId, pace }, slot, { tookMs, waitedMs = 0 }) {
      const arrivals = numbers.get(senderId)?.arrivals;
      if (pace.intervalMicros > FAST_MICROS) {
        // Nobody is quick at first: such a call arrived when it was answered, at the latest. Those of fast numbers show in their common delay.
        arrivals?.waited(slot, firstCalls.has(slot) ? tookMs : waitedMs);
        return;
      }
      arrivals?.waited(slot, waitedMs);
      usualDelay.observe(tookMs - waitedMs);
      arrivals?.answered(slot, tookMs - waitedMs);
    },
    async wait(owner, slot) {
      for (;;) {
        const nowMs = performance.now();
        const leftMs = timeLeft(owner, slot, nowMs);
        if (leftMs === 0) return nowMs - slot.atMs;
        await pause(Math.max(1, Math.floor(leftMs)));
      }
    },
  };
}

/** How late a slot still is after an earlier one was, or what is left of it by time that nobody has reserved. */
function lagAt({ lag }: NumberState, { atMs, lostMs }: Slot): number {
  const passedMs = Math.max(0, atMs - lag.slot.atMs);
  return Math.max(0, lag.ms - passedMs * CATCH_UP - Math.max(0, lostMs - lag.slot.lostMs));
}
