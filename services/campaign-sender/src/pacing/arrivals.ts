import type { Pace } from './pace.ts';
import type { Slot } from './slot-clock.ts';

/** When the latest calls of one number came to the provider, and how long that keeps those that come a second's messages after them. */
export interface Arrivals {
  /** The call of this slot is made. */
  left(slot: Slot, pace: Pace, nowMs: number): void;
  /** It counts from so long after: no connection was at hand, or nobody knows yet how long the way is. */
  waited(slot: Slot, waitedMs: number): void;
  /** Its answer took so long from then. */
  answered(slot: Slot, tookMs: number): void;
  /** No call of this slot may be made before. @param usualMs what a call takes now. */
  earliestMs(slot: Slot, pace: Pace, usualMs: number): number;
}

const SECOND_MS = 1000;
/** So many calls in turn that were late are no accident: they have waited for the same thing. */
const IN_TURN = 4;

interface Call {
  /** Its place among the number's slots: what was reserved before it. Time that nobody reserved does not count. */
  placeMs: number;
  leftMs: number;
  /** 0 until it is answered. */
  tookMs: number;
  /** When the last of the calls up to this one arrived; known when somebody asks for it. */
  passedMs: number;
}

/**
 * Half of what the pace leaves unused of a second, in ms. It puts a little more than a second between a slot and the one that comes as many
 * after it as the provider allows in any second. Half of that is kept for slots that are granted a little early and for what arrives
 * unevenly and does not show; the other half is what a call may be late without keeping others.
 */
const spareOf = ({ intervalMicros, messagesPerSecond }: Pace) =>
  Math.max(0, (intervalMicros * messagesPerSecond) / 1000 - SECOND_MS) / 2;
/** From a slot to one that comes nearly a second's messages after it, in ms: the first half is kept in messages … */
const periodOf = (pace: Pace) => SECOND_MS + spareOf(pace);
/** … and, as far as it is no whole message, in time. */
const marginOf = (pace: Pace) => spareOf(pace) % (pace.intervalMicros / 1000);
const placeOf = ({ atMs, lostMs }: Slot) => atMs - lostMs;

/** Makes the memory: no call is made until the one that lies a second's messages before it is a second old where it arrived. */
export function createArrivals(): Arrivals {
  /** By their places. */
  let calls: Call[] = [];
  const callOf = new WeakMap<Slot, Call>();
  /** How many of them others have come a second's messages after. */
  let passed = 0;

  /**
   * What a call has waited for together with those beside it: as much as each of some calls in turn, of which it is one. Held against what
   * a call takes now: a way that was long for all, and is short again, brings those that come after nearer to it.
   */
  function commonDelay(index: number, usualMs: number): number {
    let most = 0;
    for (let first = index - IN_TURN + 1; first <= index; first += 1) {
      let least = Number.POSITIVE_INFINITY;
      for (let of = first; of < first + IN_TURN; of += 1) least = Math.min(least, calls[of]?.tookMs ?? 0);
      most = Math.max(most, least - usualMs);
    }
    return most;
  }

  function forgetBefore(oldMs: number): void {
    const half = calls.length >> 1;
    if (half === 0 || calls[half]!.leftMs >= oldMs) return;
    calls = calls.slice(half);
    passed = Math.max(0, passed - half);
  }

  return {
    left(slot, pace, nowMs) {
      forgetBefore(nowMs - 2 * periodOf(pace));
      const call = { placeMs: placeOf(slot), leftMs: nowMs, tookMs: 0, passedMs: nowMs };
      callOf.set(slot, call);
      let index = calls.length;
      while (index > passed && calls[index - 1]!.placeMs > call.placeMs) index -= 1;
      calls.splice(index, 0, call);
    },
    waited(slot, waitedMs) {
      const call = callOf.get(slot);
      if (call) call.leftMs += waitedMs;
    },
    answered(slot, tookMs) {
      const call = callOf.get(slot);
      if (call) call.tookMs = tookMs;
    },
    earliestMs(slot, pace, usualMs) {
      const periodMs = periodOf(pace);
      const mostMs = placeOf(slot) - periodMs;
      for (; passed < calls.length && calls[passed]!.placeMs <= mostMs; passed += 1) {
        const call = calls[passed]!;
        call.passedMs = Math.max(
          calls[passed - 1]?.passedMs ?? 0,
          call.leftMs + commonDelay(passed, usualMs),
        );
      }
      let before = passed - 1;
      while (before >= 0 && calls[before]!.placeMs > mostMs) before -= 1;
      return before < 0 ? Number.NEGATIVE_INFINITY : calls[before]!.passedMs + SECOND_MS + marginOf(pace);
    },
  };
}
