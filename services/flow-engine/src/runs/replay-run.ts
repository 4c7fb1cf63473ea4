import { isDeepStrictEqual } from 'node:util';
import type { FlowDefinition, RunState } from '@switchyard/flows';
import { advanceRun, type FlowOf, freshRun } from '@switchyard/flows';
import type { RecordedInput } from './create-run-store.ts';
import { effectId } from './effect-jobs.ts';

/** What a replay found. */
export interface Replay {
  /** Whether every input did what it had done. */
  identical: boolean;
  inputs: number;
  /** Where the replay first went another way. */
  difference?: { number: number; part: 'steps' | 'effects' | 'state'; recorded: unknown; replayed: unknown };
}

/**
 * Runs a recorded run again from its inputs, without effects, and compares.
 *
 * @param flowOf finds the versions of other flows that the run went into.
 * @param recorded.endState as stored, when the run ended by itself or waits; undefined when it was ended from outside.
 */
export function replayRun(
  definition: FlowDefinition,
  recorded: { runId: string; journal: readonly RecordedInput[]; endState: RunState | undefined },
  flowOf?: FlowOf,
): Replay {
  const { runId, journal, endState } = recorded;
  let state: RunState = freshRun;
  for (const { number, input, contact, steps, effects } of journal) {
    const advance = advanceRun(definition, state, input, contact, flowOf === undefined ? {} : { flowOf });
    state = advance.state;
    const compared = [
      ['steps', steps, advance.steps],
      [
        'effects',
        effects,
        advance.effects.map((effect) => ({ id: effectId(runId, effect.step), ...effect })),
      ],
    ] as const;
    for (const [part, was, is] of compared) {
      const replayed = asStored(is);
      if (!isDeepStrictEqual(was, replayed))
        return {
          identical: false,
          inputs: journal.length,
          difference: { number, part, recorded: was, replayed },
        };
    }
  }
  const replayed = asStored(state);
  if (endState !== undefined && !isDeepStrictEqual(endState, replayed))
    return {
      identical: false,
      inputs: journal.length,
      difference: { number: journal.length, part: 'state', recorded: endState, replayed },
    };
  return { identical: true, inputs: journal.length };
}

/** As it reads after having been stored: undefined is gone. */
function asStored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
