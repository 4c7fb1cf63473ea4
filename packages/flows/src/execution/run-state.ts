import type { Call, CallResult } from './call.ts';

/** A value that a flow keeps: plain JSON. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

/** Values a flow keeps while it runs. */
export type Variables = Readonly<Record<string, Value>>;

/**
 * What a run waits for. `id` is new with every wait, so that a late timer cannot end a later one.
 *
 * `answer`: the person's; `gather`: more of what the person is saying; `time`; `event`; `call`: the outside's answer; `handover`: that a
 * person lets go of the conversation.
 */
export interface Wait {
  readonly id: string;
  readonly kind: 'answer' | 'gather' | 'time' | 'event' | 'call' | 'handover';
  readonly node: string;
  /** When the time is up, or when the answer is too late. */
  readonly untilMs?: number;
}

/** Why a run failed, or a node: a code and a sentence. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly node?: string;
}

/** Where a flow is; of each flow that has called another within the run there is one. */
export interface Frame {
  /** The flow and the version; absent: the run's own. */
  readonly flow?: { readonly id: string; readonly version: number };
  readonly variables: Variables;
  readonly input?: Variables;
  /** Turns that loops have taken, by node. */
  readonly loops?: Readonly<Record<string, number>>;
}

/** All that a run is. Plain JSON: stored after every input, and the same after every replay. */
export interface RunState extends Frame {
  readonly status: 'waiting' | 'finished' | 'failed';
  /** Steps taken so far; numbers the next one. */
  readonly steps: number;
  readonly wait?: Wait;
  /** Answers that did not count, at the question that is open. */
  readonly invalidAnswers: number;
  /** Why it failed. */
  readonly failure?: Failure;
  /** When it began. */
  readonly startedAtMs?: number;
  /** What chance is drawn from. */
  readonly seed?: string;
  /** The event that came last. */
  readonly event?: MessageFacts;
  /** What was said so far, of an answer that is being gathered. */
  readonly gathered?: readonly MessageFacts[];
  /** The failure that led to the branch the run is on. */
  readonly error?: Failure;
  /** The flows that wait for the one which is running to come back, with the node that called; the outermost first. */
  readonly callers?: readonly (Frame & { readonly node: string })[];
  /** What its end gave. */
  readonly result?: Variables;
}

/** One message of the conversation, as a model is shown it. */
export interface HistoryMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly Readonly<Record<string, unknown>>[];
}

/** What every input brings. */
interface Outside {
  readonly atMs: number;
  /** The versions that sub-flows have just now, by flow; where the definition has any. */
  readonly flows?: Readonly<Record<string, number>>;
  /** The conversation so far; where the definition has a node that needs it. */
  readonly history?: readonly HistoryMessage[];
}

/** What comes from outside. Everything that could differ in a replay is in here, the clock included. */
export type RunInput = Outside &
  (
    | {
        readonly kind: 'start';
        readonly event: MessageFacts;
        /** Values the run begins with. */
        readonly variables?: Variables;
        /** What chance is drawn from. */
        readonly seed?: string;
      }
    | { readonly kind: 'message'; readonly event: MessageFacts }
    /** Something happened that the run may wait for. */
    | { readonly kind: 'event'; readonly event: MessageFacts }
    /** A time has come. */
    | { readonly kind: 'timer'; readonly waitId: string }
    /** The outside has answered a call. */
    | { readonly kind: 'result'; readonly waitId: string; readonly result: CallResult }
    /** A message that the run has asked for did not go out, and the run is still at the wait after it. */
    | {
        readonly kind: 'outcome';
        readonly node: string;
        readonly outcome: 'failed' | 'skipped' | 'expired';
        readonly reason?: string;
      }
    /** The person who had taken over lets go. */
    | { readonly kind: 'release' }
    /** A failed run is tried again, from the node that failed. */
    | { readonly kind: 'retry' }
  );

/** What a flow may know of the message or event that set it off, or that it waited for. */
export interface MessageFacts {
  /** A message's type; `shopify`, `custom`, `contact`; `start` where nothing happened. */
  readonly type: string;
  readonly text?: string;
  readonly replyId?: string;
  /** An event's topic, type or change. */
  readonly name?: string;
  /** An event's content. */
  readonly body?: Value;
  readonly media?: { readonly path: string; readonly mimeType?: string; readonly bytes?: number };
  readonly location?: Value;
  readonly referral?: Value;
  readonly campaignId?: string;
  readonly isFirst?: boolean;
}

/** One node that was executed, or that went on when what it waited for had come. */
export interface Step {
  /** 1 for the first of the run. */
  readonly number: number;
  readonly node: string;
  readonly kind: string;
  /** What the step found out, for people who read the journal. */
  readonly note?: string;
  /** The sub-flow that the node is in. */
  readonly flow?: string;
}

type Templated = Readonly<Record<string, unknown>>;

/** Something a step wants done outside. */
export type EffectBody =
  | {
      readonly kind: 'send';
      readonly type: string;
      readonly content: Templated;
      /** The same as plain text, for the session's history. */
      readonly text: string;
      readonly templateFallback?: Templated;
    }
  | {
      readonly kind: 'set-attribute';
      readonly name: string;
      readonly value: string | number | boolean | null;
    }
  | { readonly kind: 'tag'; readonly add: readonly string[]; readonly remove: readonly string[] }
  | { readonly kind: 'consent'; readonly purpose: 'marketing' | 'service'; readonly granted: boolean }
  | { readonly kind: 'handover'; readonly untilMs?: number; readonly reason?: string }
  | { readonly kind: 'call'; readonly waitId: string; readonly call: Call }
  | {
      readonly kind: 'email';
      readonly to: readonly string[];
      readonly subject: string;
      readonly text?: string;
      readonly html?: string;
      readonly replyTo?: string;
    }
  | { readonly kind: 'webhook'; readonly type: string; readonly data: Templated; readonly atMs: number }
  | {
      readonly kind: 'notify';
      readonly title: string;
      readonly body?: string;
      readonly severity: 'info' | 'warning' | 'critical';
      readonly atMs: number;
    };

/** An effect of a step. Its id is made of run and step: asking again asks for the same thing. */
export type Effect = { readonly step: number } & EffectBody;
