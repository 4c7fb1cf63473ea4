import type { FlowDefinition } from '../definitions/definition.ts';
import type { RunState, Step, Value } from '../execution/run-state.ts';
import { Conversation, type TranscriptLine } from './conversation.ts';
import type { ScriptedAnswer, ScriptLine } from './script.ts';

/** How a simulated conversation went. */
export interface Simulation {
  transcript: TranscriptLine[];
  steps: Step[];
  /** Of the run that started last; `not-started` when nothing matched. */
  status: RunState['status'] | 'cancelled' | 'not-started';
  variables: RunState['variables'];
  result?: RunState['result'];
  failure?: RunState['failure'];
  /** What would have been told about the person. */
  contactEffects: Record<string, unknown>[];
  /** What would have been sent or told besides: emails, webhook events, notices, calls. */
  otherEffects: Record<string, unknown>[];
}

/** What a simulation may use besides the flow. */
export interface SimulationOptions {
  /** What the outside answers. */
  answers?: readonly ScriptedAnswer[];
  /** Flows that the flow goes into, by id. */
  flows?: Readonly<Record<string, FlowDefinition>>;
  /** What chance is drawn from. */
  seed?: string;
}

/**
 * Has a conversation with a flow on the engine that real ones run on. Nothing is sent or stored, and nobody is asked: the outside's
 * answers are the script's.
 *
 * @param contact what is known of the person.
 * @param startMs what the clock says at the beginning; the same, the same conversation.
 */
export function simulateFlow(
  definition: FlowDefinition,
  script: readonly ScriptLine[],
  contact: Record<string, unknown>,
  startMs: number,
  options: SimulationOptions = {},
): Simulation {
  const conversation = new Conversation(definition, contact, startMs, options);
  for (const line of script) play(conversation, line);
  return conversation.outcome();
}

/** Lets one line of a script happen. */
export function play(conversation: Conversation, line: ScriptLine): void {
  if ('waitSeconds' in line) conversation.wait(line.waitSeconds * 1000);
  else if ('say' in line) conversation.hear({ type: 'text', text: line.say });
  else if ('tap' in line) conversation.tap(line.tap);
  else if ('message' in line) conversation.hear(line.message as Parameters<typeof conversation.hear>[0]);
  else if ('event' in line) {
    const { kind, name, body } = line.event;
    conversation.happen({ type: kind, name, ...(body === undefined ? {} : { body: body as Value }) });
  } else if ('start' in line) conversation.start(line.start as Record<string, Value>);
  else conversation.release();
}
