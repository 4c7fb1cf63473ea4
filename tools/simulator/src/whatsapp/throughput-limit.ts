/** Counts the messages of each number, both ways, over a sliding second. */
export interface ThroughputLimit {
  /** Counts one message. */
  count(numberId: string): void;
  /** Messages of the last second. */
  current(numberId: string): number;
  /** The most messages that one second ever held. */
  peak(numberId: string): number;
  clear(): void;
}

const bucketMs = 50;
const bucketCount = 20;

interface Window {
  readonly buckets: Uint32Array;
  /** The bucket that holds now, counted since the epoch of the clock. */
  position: number;
  sum: number;
  peak: number;
}

/** Creates a {@link ThroughputLimit}. @param now milliseconds that never run back. */
export function createThroughputLimit(now: () => number = () => performance.now()): ThroughputLimit {
  const windows = new Map<string, Window>();

  function windowOf(numberId: string): Window {
    let window = windows.get(numberId);
    const position = Math.floor(now() / bucketMs);
    if (!window) {
      window = { buckets: new Uint32Array(bucketCount), position, sum: 0, peak: 0 };
      windows.set(numberId, window);
    }
    const passed = Math.min(bucketCount, position - window.position);
    for (let step = 1; step <= passed; step += 1) {
      const index = (window.position + step) % bucketCount;
      window.sum -= window.buckets[index] as number;
      window.buckets[index] = 0;
    }
    window.position = position;
    return window;
  }

  function add(window: Window): void {
    const index = window.position % bucketCount;
    window.buckets[index] = (window.buckets[index] as number) + 1;
    window.sum += 1;
    if (window.sum > window.peak) window.peak = window.sum;
  }

  return {
    count: (numberId) => add(windowOf(numberId)),
    current: (numberId) => windowOf(numberId).sum,
    peak: (numberId) => windowOf(numberId).peak,
    clear: () => windows.clear(),
  };
}
