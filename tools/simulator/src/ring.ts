/** The last `capacity` entries of a stream, and how many there were in all. */
export interface Ring<T> {
  /** Entries ever pushed; the newest kept one has this number. */
  readonly total: number;
  push(entry: T): void;
  /** The kept entries, oldest first. */
  values(): T[];
  /** The newest kept entry that satisfies the condition. */
  findLast(condition: (entry: T) => boolean): T | undefined;
  clear(): void;
}

/** Creates a {@link Ring}; a push over the capacity forgets the oldest entry. */
export function createRing<T>(capacity: number): Ring<T> {
  let entries: T[] = [];
  let total = 0;
  let head = 0;
  return {
    get total() {
      return total;
    },
    push(entry) {
      total += 1;
      if (entries.length < capacity) {
        entries.push(entry);
        return;
      }
      entries[head] = entry;
      head = (head + 1) % capacity;
    },
    values() {
      return [...entries.slice(head), ...entries.slice(0, head)];
    },
    findLast(condition) {
      for (let back = 1; back <= entries.length; back += 1) {
        const entry = entries[(head - back + entries.length) % entries.length] as T;
        if (condition(entry)) return entry;
      }
      return undefined;
    },
    clear() {
      entries = [];
      head = 0;
      total = 0;
    },
  };
}
