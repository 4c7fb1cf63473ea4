/** Lets one at a time in, in the order of asking. */
export interface Mutex {
  acquire(): Promise<void>;
  release(): void;
}

/** Makes an open mutex. */
export function createMutex(): Mutex {
  let isHeld = false;
  const waiting: (() => void)[] = [];
  let next = 0;
  return {
    async acquire() {
      if (!isHeld) {
        isHeld = true;
        return;
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    release() {
      const enter = waiting[next];
      if (enter === undefined) {
        isHeld = false;
        return;
      }
      next++;
      // Shifting an array of thousands for each release would be quadratic.
      if (next === waiting.length || next > 1024) {
        waiting.splice(0, next);
        next = 0;
      }
      enter();
    },
  };
}
