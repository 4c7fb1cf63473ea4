/** First in, first out, with cheap removal of many at once. */
export interface UpdateQueue<T> {
  readonly size: number;
  push(entry: T): void;
  /** Removes and returns up to `count` of the oldest entries. */
  take(count: number): T[];
  clear(): void;
}

/** Creates an {@link UpdateQueue}: an array with a moving head, compacted when half of it is spent. */
export function createUpdateQueue<T>(): UpdateQueue<T> {
  let entries: T[] = [];
  let head = 0;
  return {
    get size() {
      return entries.length - head;
    },
    push(entry) {
      entries.push(entry);
    },
    take(count) {
      const taken = entries.slice(head, head + count);
      head += taken.length;
      if (head > 1024 && head * 2 > entries.length) {
        entries = entries.slice(head);
        head = 0;
      }
      return taken;
    },
    clear() {
      entries = [];
      head = 0;
    },
  };
}
