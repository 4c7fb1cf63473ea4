import type { FlowDefinition } from '../definitions/definition.ts';
import type { Wake } from './behaviour.ts';
import { mergeMessages } from './merge-messages.ts';
import type { Effect, Failure, RunInput, RunState, Step } from './run-state.ts';
import { Walk } from './walk.ts';

/** How far a run may go. */
export interface RunLimits {
  /** Steps in all; a run that passes it fails. */
  readonly maxSteps: number;
  /** From start to end; a run that passes it fails. */
  readonly maxAgeMs: number;
  /** Flows within flows. */
  readonly maxDepth: number;
  /** Of the state, as JSON: what a run keeps is stored with every input. */
  readonly maxStateCharacters: number;
}

/** What one input did to a run. */
export interface Advance {
  readonly state: RunState;
  readonly steps: readonly Step[];
  readonly effects: readonly Effect[];
  /** What nodes failed with, whether an error branch was taken or not. */
  readonly failures: readonly Failure[];
}

/** Finds the definition of another flow's version; undefined when there is none. */
export type FlowOf = (flowId: string, version: number) => FlowDefinition | undefined;

/** What {@link advanceRun} can be told. */
export interface AdvanceOptions {
  limits?: Partial<RunLimits>;
  /** For sub-flows. */
  flowOf?: FlowOf;
}

const DAY_MS = 24 * 3_600_000;

/** A run before its first input. */
export const freshRun: RunState = { status: 'waiting', variables: {}, steps: 0, invalidAnswers: 0 };

export const defaultLimits: RunLimits = {
  maxSteps: 1000,
  maxAgeMs: 180 * DAY_MS,
  maxDepth: 5,
  maxStateCharacters: 1_000_000,
};

/** How far runs of a flow may go. */
export function limitsOf({ limits }: Pick<FlowDefinition, 'limits'>): RunLimits {
  return {
    ...defaultLimits,
    ...(limits?.maxSteps === undefined ? {} : { maxSteps: limits.maxSteps }),
    ...(limits?.maxDays === undefined ? {} : { maxAgeMs: limits.maxDays * DAY_MS }),
  };
}

/**
 * Takes one input and executes nodes until the run waits or ends.
 *
 * Pure: the same definition, state and input give the same result, so that a run can be resumed after a crash, simulated and
 * replayed from its journal. An input that the run does not wait for changes nothing: the state that comes back is the one that was
 * given.
 *
 * @param contact what templates may know of the person, as of the input.
 */
export function advanceRun(
  definition: FlowDefinition,
  state: RunState,
  input: RunInput,
  contact: Record<string, unknown>,
  options: AdvanceOptions = {},
): Advance {
  const limits = { ...limitsOf(definition), ...options.limits };
  const advance = take(definition, state, input, contact, limits, options.flowOf);
  return advance.state === state ? advance : bounded(state, advance, limits.maxStateCharacters);
}

/** A run that would keep too much fails with what it had before, and asks for nothing more. */
function bounded(before: RunState, advance: Advance, most: number): Advance {
  const { length } = JSON.stringify(advance.state);
  if (length <= most) return advance;
  const { wait: _, ...kept } = before;
  const failure = {
    code: 'RUN_TOO_LARGE',
    message: `the run would keep ${length} characters of variables and events; ${most} are allowed`,
  };
  return {
    state: { ...kept, status: 'failed', steps: advance.state.steps, failure },
    steps: advance.steps,
    effects: [],
    failures: [failure],
  };
}

function take(
  definition: FlowDefinition,
  state: RunState,
  input: RunInput,
  contact: Record<string, unknown>,
  limits: RunLimits,
  flowOf: FlowOf | undefined,
): Advance {
  const unchanged: Advance = { state, steps: [], effects: [], failures: [] };
  const walk = () => new Walk({ definition, state, input, contact, limits, flowOf });

  if (input.kind === 'retry') {
    if (state.status !== 'failed' || state.failure?.node === undefined) return unchanged;
    return walk().from(state.failure.node);
  }
  if (state.status !== 'waiting') return unchanged;
  if (input.kind === 'start') return state.steps > 0 || state.wait ? unchanged : walk().begin();

  const { wait } = state;
  if (!wait) return unchanged;
  if ('waitId' in input && input.waitId !== wait.id) return unchanged;
  if (state.startedAtMs !== undefined && input.atMs - state.startedAtMs > limits.maxAgeMs)
    return walk().expire();
  // Somebody else has the conversation now.
  if (input.kind === 'outcome')
    return (wait.kind === 'handover' ? undefined : walk().undelivered(input)) ?? unchanged;
  // The flow itself gathers what sets it off: no node has been executed yet.
  if (wait.kind === 'gather' && state.steps === 0) {
    if (input.kind === 'message') return walk().gather(input.event);
    return input.kind === 'timer' ? walk().beginWith(mergeMessages(state.gathered ?? [])) : unchanged;
  }
  const wake = wakeOf(input, wait.kind);
  return (wake && walk().wake(wait, wake)) ?? unchanged;
}

/** What an input means to a node that waits in this way; undefined: nothing. */
function wakeOf(input: RunInput, waitKind: NonNullable<RunState['wait']>['kind']): Wake | undefined {
  switch (input.kind) {
    case 'timer':
      return { kind: 'time' };
    case 'message':
      return waitKind === 'answer' || waitKind === 'gather'
        ? { kind: 'message', event: input.event }
        : undefined;
    case 'event':
      return waitKind === 'event' ? { kind: 'event', event: input.event } : undefined;
    case 'result':
      return waitKind === 'call' ? { kind: 'result', result: input.result } : undefined;
    case 'release':
      return waitKind === 'handover' ? { kind: 'released' } : undefined;
    default:
      return undefined;
  }
}
