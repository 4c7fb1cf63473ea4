import type { FlowDefinition } from '../definitions/definition.ts';
import { contains } from '../simulation/answer-calls.ts';
import { Conversation, type TranscriptLine } from '../simulation/conversation.ts';
import { play, type Simulation } from '../simulation/simulate-flow.ts';
import type { FlowTest } from './flow-test.ts';

/** A line of a result: as expected, missing, or too much. */
export interface ResultLine {
  mark: ' ' | '-' | '+';
  text: string;
}

/** How a flow test went. */
export interface FlowTestResult {
  name: string;
  ok: boolean;
  /** The conversation, with what is missing and what is too much. */
  lines: ResultLine[];
  outcome: Simulation;
}

/** A Monday. */
const DEFAULT_START = Date.parse('2026-01-05T09:00:00Z');

type ScriptEntry = FlowTest['conversation'][number];
type Expected = Extract<ScriptEntry, { expect: unknown }>['expect'];

/**
 * Runs a flow test: has the conversation, and compares every message of the flow with what is expected.
 *
 * @param flows that the flow goes into, by id.
 */
export function runFlowTest(
  definition: FlowDefinition,
  test: FlowTest,
  flows: Readonly<Record<string, FlowDefinition>> = {},
): FlowTestResult {
  const lines: ResultLine[] = [];
  const startMs = test.at === undefined ? DEFAULT_START : Date.parse(test.at);
  const conversation = new Conversation(
    definition,
    { ...test.contact },
    Number.isNaN(startMs) ? DEFAULT_START : startMs,
    {
      flows,
      ...(test.answers === undefined ? {} : { answers: test.answers }),
      ...(test.seed === undefined ? {} : { seed: test.seed }),
    },
  );
  if (Number.isNaN(startMs)) lines.push({ mark: '-', text: `"at" is no date: ${test.at}` });

  /** Messages of the flow that nothing has expected yet. */
  let seen = 0;
  const unread: TranscriptLine[] = [];
  const read = () => {
    for (const line of conversation.transcript.slice(seen)) {
      if (line.from === 'flow') unread.push(line);
      else lines.push({ mark: ' ', text: `${line.from}: ${line.text}` });
    }
    seen = conversation.transcript.length;
  };
  const complain = () => {
    for (const line of unread.splice(0)) lines.push({ mark: '+', text: show(line) });
  };
  for (const entry of test.conversation) {
    if ('expect' in entry) {
      const line = unread.shift();
      if (line && fits(line, entry.expect)) lines.push({ mark: ' ', text: show(line) });
      else {
        lines.push({ mark: '-', text: showExpected(entry.expect) });
        if (line) lines.push({ mark: '+', text: show(line) });
      }
      continue;
    }
    complain();
    play(conversation, entry);
    read();
  }
  complain();
  const outcome = conversation.outcome();
  lines.push(...checkOutcome(test, outcome));
  return { name: test.name, ok: lines.every(({ mark }) => mark === ' '), lines, outcome };
}

function checkOutcome({ status, variables, effects }: FlowTest, outcome: Simulation): ResultLine[] {
  const lines: ResultLine[] = [];
  const compare = (what: string, expected: unknown, actual: unknown) => {
    if (contains(actual, expected)) return;
    lines.push({ mark: '-', text: `${what}: ${JSON.stringify(expected)}` });
    lines.push({ mark: '+', text: `${what}: ${JSON.stringify(actual ?? null)}` });
  };
  if (status !== undefined) compare('status', status, outcome.status);
  for (const [name, expected] of Object.entries(variables ?? {}))
    compare(`variable ${name}`, expected, outcome.variables[name]);
  const happened = [...outcome.contactEffects, ...outcome.otherEffects];
  for (const expected of effects ?? []) {
    if (happened.some((effect) => contains(effect, expected))) continue;
    lines.push({ mark: '-', text: `effect ${JSON.stringify(expected)}` });
    for (const effect of happened)
      if (effect.kind === expected.kind) lines.push({ mark: '+', text: `effect ${JSON.stringify(effect)}` });
  }
  return lines;
}

function fits({ text, buttons = [] }: TranscriptLine, expected: Expected): boolean {
  if (typeof expected === 'string') return text === expected;
  if (expected.text !== undefined && text !== expected.text) return false;
  if (expected.contains !== undefined && !text.includes(expected.contains)) return false;
  return expected.buttons === undefined || contains(buttons, expected.buttons);
}

function show({ text, buttons = [] }: TranscriptLine): string {
  return `flow: ${text}${buttons.map((title) => ` [${title}]`).join('')}`;
}

function showExpected(expected: Expected): string {
  if (typeof expected === 'string') return `flow: ${expected}`;
  const { text, contains: part, buttons = [] } = expected;
  const what = text ?? (part === undefined ? '(any text)' : `(a text with) ${part}`);
  return `flow: ${what}${buttons.map((title) => ` [${title}]`).join('')}`;
}
