/** How fast a number may send. */
export interface Pace {
  /** Time between two messages at the full rate, in microseconds. */
  intervalMicros: number;
  /** Messages that may go out at once after a pause, 1 at least. */
  burst: number;
  /** For how long slots that nobody could ask for in time can still be had, in microseconds. */
  arrearsMicros: number;
  /** What was configured, for people. */
  messagesPerSecond: number;
}

/** Messages per duration, as R2 states rates. */
export interface Rate {
  max: number;
  durationMs: number;
}

/** R2.1: until a number's throughput is configured. */
export const DEFAULT_RATE: Rate = { max: 20, durationMs: 60_000 };

/**
 * Left unused below the provider's limit: requests that left evenly arrive unevenly, and the provider counts arrivals.
 */
export const HEADROOM = 0.022;
/** A database that stops for a moment costs a number nothing of its rate. */
const ARREARS_MICROS = 200_000;

/**
 * The pace of a number whose throughput is known: even, since the provider counts each second. Slots that nobody could ask for, since the
 * processes were busy, are made up for; `Arrivals` sees to it that no second holds too many.
 */
export function paceOfThroughput(messagesPerSecond: number): Pace {
  return {
    intervalMicros: Math.ceil(1_000_000 / (messagesPerSecond * (1 - HEADROOM))),
    burst: 1,
    arrearsMicros: ARREARS_MICROS,
    messagesPerSecond,
  };
}

/**
 * The pace of a number that nobody configured: a quarter of the rate at once, so that a conversation does not wait for its second
 * message; the rest evenly. No window of the duration ever holds more than `max`.
 */
export function paceOfRate({ max, durationMs }: Rate): Pace {
  const burst = Math.max(1, Math.floor(max / 4));
  const steady = Math.max(1, max - burst);
  return {
    intervalMicros: Math.ceil((durationMs * 1000) / steady),
    burst,
    arrearsMicros: 0,
    messagesPerSecond: (max * 1000) / durationMs,
  };
}
