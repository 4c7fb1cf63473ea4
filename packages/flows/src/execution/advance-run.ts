import type { FlowDefinition } from '../definitions/definition.ts';
import type { Wake } from './behaviour.ts';
import { mergeMessages } from './merge-messages.ts';
import type { Effect, RunInput, RunState, Step } from './run-state.ts';
import { Walk } from './walk.ts';

/** How far a run may go. */
export interface RunLimits {
  /** Steps in all; a run that passes it fails. */
  readonly maxSteps: number;
  /** From start to end; a run that passes it fails. */
  readonly maxAgeMs: number;
  /** Flows within flows. */
  readonly maxDepth: number;
}

/** What one input did to a run. */
export interface Advance {
  readonly state: RunState;
  readonly steps: readonly Step[];
  readonly effects: readonly Effect[];
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

export const defaultLimits: RunLimits = { maxSteps: 1000, maxAgeMs: 180 * DAY_MS, maxDepth: 5 };

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
  const unchanged: Advance = { state, steps: [], effects: [] };
  const limits = { ...limitsOf(definition), ...options.limits };
  const walk = () => new Walk({ definition, state, input, contact, limits, flowOf: options.flowOf });

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
