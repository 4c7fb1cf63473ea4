import type { FlowDefinition } from '../definitions/definition.ts';
import { type Advance, advanceRun, freshRun } from '../execution/advance-run.ts';
import type { MessageFacts, RunInput, RunState, Step } from '../execution/run-state.ts';
import { matchTrigger } from '../triggers/match-trigger.ts';

/** One thing that happens in a simulated conversation. */
export type ScriptLine =
  /** The person writes. */
  | { say: string }
  /** The person taps a button, by its id. */
  | { tap: string }
  /** Time passes. */
  | { waitSeconds: number };

/** One line of the transcript. */
export interface TranscriptLine {
  /** Since the conversation began. */
  atSeconds: number;
  from: 'person' | 'flow' | 'engine';
  text: string;
  buttons?: string[];
}

/** How a simulated conversation went. */
export interface Simulation {
  transcript: TranscriptLine[];
  steps: Step[];
  /** Of the last run; `not-started` when nothing matched. */
  status: RunState['status'] | 'not-started';
  variables: RunState['variables'];
  failure?: RunState['failure'];
  /** What would have been told about the person. */
  contactEffects: Record<string, unknown>[];
}

/** Has a conversation with a flow on the engine that real ones run on. Nothing is sent or stored. */
export function simulateFlow(
  definition: FlowDefinition,
  script: readonly ScriptLine[],
  contact: Record<string, unknown>,
  startMs: number,
): Simulation {
  const transcript: TranscriptLine[] = [];
  const steps: Step[] = [];
  const contactEffects: Record<string, unknown>[] = [];
  let nowMs = startMs;
  let state: RunState | undefined;
  /** Titles of the buttons that were shown, by id. */
  const titles = new Map<string, string>();

  const note = (from: TranscriptLine['from'], text: string, buttons?: string[]) =>
    transcript.push({
      atSeconds: (nowMs - startMs) / 1000,
      from,
      text,
      ...(buttons === undefined ? {} : { buttons }),
    });

  function take(advance: Advance): void {
    state = advance.state;
    steps.push(...advance.steps);
    for (const effect of advance.effects) {
      if (effect.kind !== 'send') {
        contactEffects.push({ ...effect });
        continue;
      }
      const buttons = buttonsOf(effect.content);
      for (const { id, title } of buttons) titles.set(id, title);
      note('flow', effect.text, buttons.length === 0 ? undefined : buttons.map(({ title }) => title));
    }
    if (state.failure) note('engine', `the run failed: ${state.failure.message}`);
  }

  function pass(untilMs: number): void {
    for (;;) {
      const wait = state?.status === 'waiting' ? state.wait : undefined;
      if (!state || wait?.untilMs === undefined || wait.untilMs > untilMs) break;
      nowMs = wait.untilMs;
      take(advanceRun(definition, state, { kind: 'timer', atMs: nowMs, waitId: wait.id }, contact));
    }
    nowMs = untilMs;
  }

  function hear(event: MessageFacts): void {
    const input: RunInput = { kind: 'message', atMs: nowMs, event };
    if (state?.status === 'waiting' && state.wait?.kind === 'answer') {
      take(advanceRun(definition, state, input, contact));
    } else if (matchTrigger([{ flowId: 'simulated', version: 0, definition }], event)) {
      take(advanceRun(definition, freshRun, { kind: 'start', atMs: nowMs, event }, contact));
    } else note('engine', 'nothing waits for this message, and no trigger matches it');
  }

  for (const line of script) {
    if ('waitSeconds' in line) pass(nowMs + line.waitSeconds * 1000);
    else if ('say' in line) {
      note('person', line.say);
      hear({ type: 'text', text: line.say });
    } else {
      const text = titles.get(line.tap) ?? line.tap;
      note('person', text);
      hear({ type: 'interactive', text, replyId: line.tap });
    }
  }
  return {
    transcript,
    steps,
    status: state?.status ?? 'not-started',
    variables: state?.variables ?? {},
    ...(state?.failure === undefined ? {} : { failure: state.failure }),
    contactEffects,
  };
}

function buttonsOf(content: Record<string, unknown>): { id: string; title: string }[] {
  const action = content.action as { buttons?: { reply: { id: string; title: string } }[] } | undefined;
  return (action?.buttons ?? []).map(({ reply }) => reply);
}
