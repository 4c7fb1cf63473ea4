import { setTimeout as pause } from 'node:timers/promises';
import type { Admission, AdmissionControl, AdmissionRequest } from './create-admission.ts';
import { LONGEST_WAIT_MS, lookaheadMicros } from './lanes.ts';
import { createNumberQueue, type NumberQueue, type Waiting } from './number-queue.ts';
import type { Pass, PassOrWait } from './pass.ts';
import type { Slot } from './slot-clock.ts';

/** Where the messages of one process wait for their slots, most urgent first. */
export interface Gate {
  /**
   * Waits for leave to call, 2 s at most.
   *
   * @throws what `admit` throws when the queue Redis is away.
   */
  enter(request: AdmissionRequest): Promise<PassOrWait>;
  /** Messages that wait here. */
  readonly waiting: number;
  close(): void;
}

/** Messages asked for in one round trip. */
const ASKED_AT_ONCE = 100;
/** Of one number: further ones are not due before this round's answers. */
const ASKED_OF_NUMBER = 64;
/** Of one number, waiting in this process: less than there are jobs under way at a time, so that others' find a place when it hangs. */
export const WAITING_OF_NUMBER = 500;

/** Passes given per connection: a message's intent is written while another's call has the connection. */
const PASSES_PER_CONNECTION = 2;

/**
 * Makes the gate. Numbers exist in it only while messages wait or calls are under way; one timer serves them all. A number whose calls
 * hang can take half of the connections, with those it had slots for already three quarters at most, and a twentieth is kept for transactional messages.
 *
 * @param connections calls under way at most.
 */
export function createGate(admission: Pick<AdmissionControl, 'admit'>, connections: number): Gate {
  const numbers = new Map<string, NumberQueue>();
  /** Those with messages that wait, whose turn it is first. With thousands of them no more are looked at than can be served. */
  const waiting = new Map<string, NumberQueue>();
  /** Those of them with transactional messages. */
  const urgent = new Set<NumberQueue>();
  const passes = connections * PASSES_PER_CONNECTION;
  const mostCalls = Math.max(1, Math.ceil(connections / 2));
  const mostEver = Math.max(1, Math.ceil((connections * 3) / 4));
  const reserved = passes < 4 ? 0 : Math.max(1, Math.floor(passes / 20));
  let waitingCount = 0;
  let inFlight = 0;
  let isAsking = false;
  let isScheduled = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let timerAtMs = Number.POSITIVE_INFINITY;

  function numberOf(senderId: string): NumberQueue {
    const known = numbers.get(senderId);
    if (known) return known;
    const made = createNumberQueue(senderId);
    numbers.set(senderId, made);
    return made;
  }

  /** Puts a number where its messages belong; one that has none goes. */
  function place(number: NumberQueue): void {
    const { senderId, size } = number;
    if (size === 0) waiting.delete(senderId);
    else if (!waiting.has(senderId)) waiting.set(senderId, number);
    if (number.ahead('transactional') === 0) urgent.delete(number);
    else urgent.add(number);
    forgetIfIdle(number);
  }

  function forgetIfIdle({ senderId, inFlight: passesOut, size }: NumberQueue): void {
    if (passesOut === 0 && size === 0) numbers.delete(senderId);
  }

  /** Its turn comes after that of all the others. */
  function placeLast(number: NumberQueue): void {
    waiting.delete(number.senderId);
    urgent.delete(number);
    place(number);
  }

  function settle(each: Waiting, end: PassOrWait | Error): void {
    waitingCount -= 1;
    each.settle(end);
  }

  function passFor(number: NumberQueue, slot: Slot, isProbe: boolean): Pass {
    let isUsed = false;
    let isReleased = false;
    return {
      admitted: true,
      slot,
      isProbe,
      use() {
        if (isUsed || isReleased || number.calls >= mostEver) return false;
        isUsed = true;
        number.calls += 1;
        return true;
      },
      release() {
        if (isReleased) return;
        isReleased = true;
        inFlight -= 1;
        number.inFlight -= 1;
        if (isUsed) number.calls -= 1;
        forgetIfIdle(number);
        if (waitingCount > 0) wake();
      },
    };
  }

  /** Slots that a number may still have: not while its calls take up their half of the connections. */
  const roomOf = ({ calls, inFlight: passesOut }: NumberQueue) =>
    calls >= mostCalls ? 0 : connections - passesOut;

  /** What to ask for now: of each number as much as its connections allow, numbers in turn. */
  function choose(nowMs: number): Waiting[] {
    const chosen: Waiting[] = [];
    const served = new Set<NumberQueue>();
    const free = passes - inFlight;
    const most = Math.min(ASKED_AT_ONCE, free);
    const mostOfAny = Math.min(most, free - reserved);
    const serve = (number: NumberQueue) => {
      const room = Math.min(ASKED_OF_NUMBER, most - chosen.length, roomOf(number));
      if (room <= 0 || number.nextAskMs() > nowMs) return;
      const taken = number.take(Math.min(room, free - reserved - chosen.length), room, nowMs);
      if (taken.length > 0) served.add(number);
      chosen.push(...taken);
    };
    for (const number of waiting.values()) {
      if (chosen.length >= mostOfAny) break;
      serve(number);
    }
    for (const number of urgent) {
      if (chosen.length >= most) break;
      if (!served.has(number)) serve(number);
    }
    for (const number of served) placeLast(number);
    return chosen;
  }

  function hear(each: Waiting, answer: Admission, nowMs: number) {
    const number = numberOf(each.request.senderId);
    if (answer.admitted) {
      inFlight += 1;
      number.inFlight += 1;
      settle(each, passFor(number, answer.slot, answer.isProbe));
      return;
    }
    const { obstacle, waitMs } = answer;
    const isOwn = obstacle === 'recipient' || obstacle === 'portfolio';
    if (isOwn || waitMs + lookaheadMicros(each.request.lane, each.request.pace) / 1000 > LONGEST_WAIT_MS) {
      settle(each, { admitted: false, waitMs, obstacle });
      if (!isOwn && obstacle !== 'app')
        for (const other of number.drain()) settle(other, { admitted: false, waitMs, obstacle });
      return;
    }
    number.putBack(each, nowMs + waitMs + patience(each.request));
  }

  async function ask(): Promise<void> {
    for (;;) {
      const asked = choose(performance.now());
      if (asked.length === 0) return;
      let answers: Admission[];
      try {
        answers = await admission.admit(asked.map(({ request }) => request));
      } catch (error) {
        for (const each of asked) settle(each, error as Error);
        continue;
      }
      const nowMs = performance.now();
      // Backwards, so that those put back keep their order; granted slots do not depend on it.
      for (let index = asked.length - 1; index >= 0; index -= 1) hear(asked[index]!, answers[index]!, nowMs);
      for (const { request } of asked) place(numberOf(request.senderId));
    }
  }

  function run(): void {
    isScheduled = false;
    if (isAsking || isClosed) return;
    isAsking = true;
    void ask().finally(() => {
      isAsking = false;
      setTimer();
    });
  }

  /** Asks at the next turn of the event loop, so that messages that come together ask together. */
  function wake(): void {
    if (isClosed || isScheduled || isAsking) return;
    isScheduled = true;
    setImmediate(run);
  }

  /** For the next slot to ask for. Those that wait for a connection are woken when one is given back. */
  function setTimer(): void {
    if (isClosed || waitingCount === 0) return;
    const nowMs = performance.now();
    const isFull = inFlight >= passes - reserved;
    let next = Number.POSITIVE_INFINITY;
    for (const number of isFull ? urgent : waiting.values()) {
      const askAtMs = number.nextAskMs();
      if (askAtMs > nowMs || (!isFull && roomOf(number) > 0)) next = Math.min(next, askAtMs);
    }
    if (next === Number.POSITIVE_INFINITY || (timer && timerAtMs <= next)) return;
    clearTimeout(timer);
    timerAtMs = next;
    const fire = () => {
      timer = undefined;
      timerAtMs = Number.POSITIVE_INFINITY;
      wake();
    };
    timer = setTimeout(fire, Math.max(1, Math.ceil(next - nowMs)));
  }

  return {
    get waiting() {
      return waitingCount;
    },
    async enter(request) {
      const number = numberOf(request.senderId);
      const ahead = number.ahead(request.lane);
      const aheadMs = ((ahead - request.pace.burst) * request.pace.intervalMicros) / 1000;
      if (!request.isAgain && (aheadMs > LONGEST_WAIT_MS || ahead >= WAITING_OF_NUMBER))
        return { admitted: false, waitMs: Math.max(aheadMs, LONGEST_WAIT_MS / 2), obstacle: 'rate' };
      waitingCount += 1;
      const end = await new Promise<PassOrWait | Error>((resolve) => {
        number.add({ request, settle: resolve }, performance.now());
        place(number);
        wake();
      });
      if (end instanceof Error) throw end;
      return end;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      for (const number of numbers.values())
        for (const each of number.drain()) settle(each, new Error('the gate is closed'));
      for (const each of [numbers, waiting, urgent]) each.clear();
    },
  };
}

/** A fast number asks for a handful of slots together: once half of those that it can reach are free. In ms. */
function patience({ lane, pace }: AdmissionRequest): number {
  return Math.max(0, lookaheadMicros(lane, pace) - pace.intervalMicros) / 2000;
}

/** Waits until a moment on the clock of `performance.now()`, to the millisecond. */
export async function waitUntil(atMs: number): Promise<void> {
  for (;;) {
    const leftMs = atMs - performance.now();
    // A timer of 1 ms may fire a little early, never by more.
    if (leftMs < 0.5) return;
    await pause(Math.max(1, Math.floor(leftMs)));
  }
}
