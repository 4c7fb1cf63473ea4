import type { FlowEvents } from './after-input.ts';
import type { ContactKey } from './create-inbox.ts';
import type { Session } from './session.ts';
import type { InputOutcome } from './take-input.ts';

/** What one transaction did. */
export interface AppliedInput {
  /**
   * `gap`, `kept`: nothing yet, an event before it is missing; `busy`: nothing yet, an answer to the one before it is under way;
   * `repeated`: it had come before; `merging`: nothing yet, the contact that is to become this one is still being told something;
   * `moved`: the contact has become another, whose inbox it is in now.
   */
  outcome: InputOutcome | 'gap' | 'busy' | 'kept' | 'repeated' | 'merging' | 'moved';
  /** The event's place was passed before it came. */
  isLate: boolean;
  /** Events before it that are given up waiting for. */
  missing: number;
  /** The lease was let go of with it. */
  isReleased: boolean;
  /** There is more that can be applied; meaningful when the lease was let go of. */
  hasMore: boolean;
  /** How runs began and ended. */
  runs: ('started' | 'finished' | 'failed' | 'cancelled')[];
  /** The same by flow, and which nodes failed. */
  byFlow?: FlowEvents[];
  session?: { key: string; session: Session };
  /** Whose inbox is to be drained, for an input that was moved. */
  movedTo?: ContactKey;
}
