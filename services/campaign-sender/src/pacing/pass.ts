import type { Obstacle } from './create-admission.ts';
import type { Slot } from './slot-clock.ts';

/** Leave to make one call: the slot in the number's pace, and one of this process's connections. */
export interface Pass {
  admitted: true;
  /** When the call is to be made. */
  slot: Slot;
  /** The call decides whether the number's circuit closes. */
  isProbe: boolean;
  /** From here on the call is under way. @returns false when its number has so many that it must not be made. */
  use(): boolean;
  /** Gives the connection back. Call it once, when the call has ended or will not be made. */
  release(): void;
}

/** What becomes of a message at the gate. One that must wait longer than is waited here is refused. */
export type PassOrWait = Pass | { admitted: false; waitMs: number; obstacle: Obstacle };
