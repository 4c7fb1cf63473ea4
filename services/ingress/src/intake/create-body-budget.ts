/** Bounds the bytes of webhook bodies that a process holds at a time. */
export interface BodyBudget {
  /**
   * Takes a share before a body is read.
   *
   * @returns whether there was room; what was taken must be given back.
   */
  take(bytes: number): boolean;
  giveBack(bytes: number): void;
  /** Bytes taken now. */
  readonly takenBytes: number;
}

/** Creates the budget. A body is text, objects and a job at once, so memory in use is a multiple of `limitBytes`. */
export function createBodyBudget(limitBytes: number): BodyBudget {
  let takenBytes = 0;
  return {
    take(bytes) {
      // A body larger than the budget passes when it is alone, or it never would.
      if (takenBytes > 0 && takenBytes + bytes > limitBytes) return false;
      takenBytes += bytes;
      return true;
    },
    giveBack(bytes) {
      takenBytes -= bytes;
    },
    get takenBytes() {
      return takenBytes;
    },
  };
}
