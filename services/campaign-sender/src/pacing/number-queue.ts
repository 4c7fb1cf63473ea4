import type { AdmissionRequest } from './create-admission.ts';
import { type Lane, lanes, lookaheadMicros } from './lanes.ts';
import type { PassOrWait } from './pass.ts';

/** A message that waits in this process for its slot. */
export interface Waiting {
  readonly request: AdmissionRequest;
  /** Told what becomes of it. */
  readonly settle: (end: PassOrWait | Error) => void;
}

interface LaneQueue {
  readonly lane: Lane;
  waiting: Waiting[];
  /** No earlier than this is there anything to ask for. */
  askAtMs: number;
}

/** The messages of one number that wait in this process, most urgent first. Exists only while there are any, or calls under way. */
export interface NumberQueue {
  readonly senderId: string;
  readonly size: number;
  /** Calls under way and slots granted. */
  inFlight: number;
  /** Calls under way. */
  calls: number;
  /** Messages of this lane and of more urgent ones. */
  ahead(lane: Lane): number;
  /** Joins the end of its lane, or the front when it had a slot before. */
  add(waiting: Waiting, nowMs: number): void;
  /**
   * Takes what may be asked for now, at most so many. While more urgent messages wait, a lane asks for its share alone, and with
   * its first message; that comes first, since whoever asks first is served first.
   */
  take(most: number, mostUrgent: number, nowMs: number): Waiting[];
  /** Puts a refused message back to the front of its lane, which asks again then. */
  putBack(waiting: Waiting, askAtMs: number): void;
  /** Empties it. */
  drain(): Waiting[];
  /** When there is something to ask for. */
  nextAskMs(): number;
}

/** Messages whose slots are close enough to be reserved, and one that tells when the next may ask. */
function reachable({ request: { lane, pace } }: Waiting): number {
  return Math.ceil(lookaheadMicros(lane, pace) / pace.intervalMicros + pace.burst) + 1;
}

/** Makes an empty queue of a number. */
export function createNumberQueue(senderId: string): NumberQueue {
  const queues = lanes.map((lane): LaneQueue => ({ lane, waiting: [], askAtMs: 0 }));
  const queueOf = (lane: Lane) => queues[lanes.indexOf(lane)]!;
  const sizeUpTo = (last: number) => {
    let sum = 0;
    for (let at = 0; at <= last; at += 1) sum += queues[at]!.waiting.length;
    return sum;
  };

  return {
    senderId,
    inFlight: 0,
    calls: 0,
    get size() {
      return sizeUpTo(queues.length - 1);
    },
    ahead: (lane) => sizeUpTo(lanes.indexOf(lane)),
    add(waiting, nowMs) {
      const queue = queueOf(waiting.request.lane);
      if (waiting.request.isAgain) {
        queue.waiting.unshift(waiting);
        queue.askAtMs = nowMs;
      } else {
        if (queue.waiting.length === 0) queue.askAtMs = nowMs;
        queue.waiting.push(waiting);
      }
    },
    take(most, mostUrgent, nowMs) {
      const shares: Waiting[] = [];
      const taken: Waiting[] = [];
      let isMoreUrgentWaiting = false;
      for (const queue of queues) {
        if (queue.waiting.length === 0) continue;
        const limit = (queue.lane === 'transactional' ? mostUrgent : most) - taken.length - shares.length;
        if (queue.askAtMs <= nowMs && limit > 0) {
          if (isMoreUrgentWaiting) {
            const first = queue.waiting.shift()!;
            shares.push({ ...first, request: { ...first.request, isShareOnly: true } });
          } else taken.push(...queue.waiting.splice(0, Math.min(limit, reachable(queue.waiting[0]!))));
        }
        isMoreUrgentWaiting = true;
      }
      return shares.length === 0 ? taken : [...shares, ...taken];
    },
    putBack({ request, settle }, askAtMs) {
      const queue = queueOf(request.lane);
      queue.waiting.unshift({ request: { ...request, isShareOnly: false }, settle });
      queue.askAtMs = Math.max(askAtMs, 0);
    },
    drain: () => queues.flatMap((queue) => queue.waiting.splice(0)),
    nextAskMs() {
      let next = Number.POSITIVE_INFINITY;
      for (const { waiting, askAtMs } of queues) if (waiting.length > 0 && askAtMs < next) next = askAtMs;
      return next;
    },
  };
}
