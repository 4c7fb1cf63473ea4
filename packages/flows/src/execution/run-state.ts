/** Values a flow keeps while it runs. */
export type Variables = Record<string, string | number | boolean | null>;

/** What a run waits for. `id` is new with every wait, so that a late timer cannot end a later one. */
export interface Wait {
  readonly id: string;
  readonly kind: 'answer' | 'time' | 'event' | 'call' | 'handover' | 'gather';
  readonly node: string;
  /** When the time is up, or when the answer is too late. */
  readonly untilMs?: number;
}

/** All that a run is. Plain JSON: stored after every input, and the same after every replay. */
export interface RunState {
  readonly status: 'waiting' | 'finished' | 'failed';
  readonly variables: Variables;
  /** Steps taken so far; numbers the next one. */
  readonly steps: number;
  readonly wait?: Wait;
  /** Answers that did not count, at the question that is open. */
  readonly invalidAnswers: number;
  /** Why it failed: a code and a sentence. */
  readonly failure?: { readonly code: string; readonly message: string; readonly node?: string };
}

/** What comes from outside. Everything that could differ in a replay is in here, the clock included. */
export type RunInput =
  | {
      readonly kind: 'start';
      readonly atMs: number;
      readonly event: MessageFacts;
      /** Values the run begins with. */
      readonly variables?: Variables;
    }
  | { readonly kind: 'message'; readonly atMs: number; readonly event: MessageFacts }
  | { readonly kind: 'timer'; readonly atMs: number; readonly waitId: string };

/** What a flow may know of the message that set it off or answers it. */
export interface MessageFacts {
  readonly type: string;
  readonly text?: string;
  readonly replyId?: string;
}

/** One node that was executed. */
export interface Step {
  /** 1 for the first of the run. */
  readonly number: number;
  readonly node: string;
  readonly kind: string;
  /** What the step found out, for people who read the journal. */
  readonly note?: string;
}

/** Something a step wants done outside. Its id is made of run and step: asking again asks for the same thing. */
export type Effect =
  | {
      readonly kind: 'send';
      readonly step: number;
      readonly type: 'text' | 'interactive';
      readonly content: Record<string, unknown>;
      /** The same as plain text, for the session's history. */
      readonly text: string;
    }
  | { readonly kind: 'set-attribute'; readonly step: number; readonly name: string; readonly value: string }
  | {
      readonly kind: 'tag';
      readonly step: number;
      readonly add: readonly string[];
      readonly remove: readonly string[];
    };
