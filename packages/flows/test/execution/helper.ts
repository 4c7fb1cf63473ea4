import type { FlowDefinition } from '../../src/definitions/definition.ts';
import { type AdvanceOptions, advanceRun, freshRun } from '../../src/execution/advance-run.ts';
import type { CallResult } from '../../src/execution/call.ts';
import type { Effect, MessageFacts, RunInput, RunState, Step } from '../../src/execution/run-state.ts';

/** A definition of these nodes, with an `end` node where there is none. */
export function flow(nodes: FlowDefinition['nodes'], more: Partial<FlowDefinition> = {}): FlowDefinition {
  return { name: 'Test', triggers: [], start: 'a', nodes: { end: { kind: 'end' }, ...nodes }, ...more };
}

/** A message of a person. */
export function said(text: string, more: Partial<MessageFacts> = {}): MessageFacts {
  return { type: 'text', text, ...more };
}

/** One run on the pure engine, input by input; the state is stored and read in between, as it is in life. */
export function play(
  definition: FlowDefinition,
  contact: Record<string, unknown> = {},
  options: AdvanceOptions = {},
) {
  let state: RunState = freshRun;
  let effects: Effect[] = [];
  const steps: Step[] = [];
  const take = (input: RunInput) => {
    const advance = advanceRun(definition, state, input, contact, options);
    state = JSON.parse(JSON.stringify(advance.state));
    effects = [...effects, ...advance.effects];
    steps.push(...advance.steps);
    return run;
  };
  const run = {
    take,
    start: (event: MessageFacts = said('hi'), more: Partial<RunInput & { kind: 'start' }> = {}) =>
      take({ kind: 'start', atMs: 0, event, ...more }),
    say: (text: string, atMs = 1000) => take({ kind: 'message', atMs, event: said(text) }),
    hear: (event: MessageFacts, atMs = 1000) => take({ kind: 'message', atMs, event }),
    happen: (event: MessageFacts, atMs = 1000) => take({ kind: 'event', atMs, event }),
    /** The time that is waited for comes. */
    pass: () => take({ kind: 'timer', atMs: state.wait?.untilMs ?? 0, waitId: state.wait?.id ?? '' }),
    answer: (result: CallResult, more: Partial<RunInput> = {}) =>
      take({ kind: 'result', atMs: 2000, waitId: state.wait?.id ?? '', result, ...more } as RunInput),
    get state() {
      return state;
    },
    get steps() {
      return steps;
    },
    get effects() {
      return effects;
    },
    /** The nodes that were executed. */
    get nodes() {
      return steps.map(({ node }) => node);
    },
    get texts() {
      return effects.flatMap((effect) => (effect.kind === 'send' ? [effect.text] : []));
    },
    /** The last call that was asked for. */
    get call() {
      return effects.findLast((effect) => effect.kind === 'call')?.call;
    },
  };
  return run;
}
