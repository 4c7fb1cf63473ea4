import { type FlowDefinition, type ScriptLine, simulateFlow } from '@switchyard/flows';

/** What chaos talks to: every answer shows up in what is said last, so that any loss, repeat or swap changes it. */
export const surveyFlow: FlowDefinition = {
  name: 'Survey',
  triggers: [{ kind: 'keyword', words: ['begin'] }],
  start: 'name',
  nodes: {
    name: { kind: 'ask', text: 'Welcome! What is your name?', saveAs: 'name', next: 'size' },
    size: {
      kind: 'ask',
      text: 'Hello {{ variables.name }}, which size?',
      buttons: [
        { id: 's', title: 'Small' },
        { id: 'm', title: 'Medium' },
        { id: 'l', title: 'Large' },
      ],
      saveAs: 'size',
      expect: 'button',
      retries: 3,
      next: 'count',
    },
    count: {
      kind: 'ask',
      text: 'How many in {{ variables.size }}?',
      saveAs: 'count',
      expect: 'number',
      retries: 3,
      retryText: 'A number, please, {{ variables.name }}.',
      next: 'many',
    },
    many: {
      kind: 'branch',
      cases: [{ when: { variable: 'count', operator: 'greater-than', value: 5 }, next: 'gross' }],
      otherwise: 'few',
    },
    gross: { kind: 'send', text: 'That is a lot, {{ variables.name }}!', next: 'sum' },
    few: { kind: 'send', text: 'Got it, {{ variables.name }}.', next: 'sum' },
    sum: {
      kind: 'send',
      text: '{{ variables.count }} in {{ variables.size }} for {{ variables.name }}.',
      next: 'end',
    },
    end: { kind: 'end' },
  },
};

/** One thing that a person does, and what they have read in all before the next. */
export interface Turn {
  line: ScriptLine;
  readUntil: number;
}

/** What the person of this number does and must read: as a run without faults has it. */
export function personOf(number: number): { turns: Turn[]; transcript: string[] } {
  const size = ['s', 'm', 'l'][number % 3]!;
  const lines: ScriptLine[] = [
    { say: 'begin' },
    { say: `P${number}` },
    { tap: size },
    ...(number % 4 === 0 ? [{ say: 'many' }] : []),
    { say: String(number % 11) },
  ];
  const readBy = (count: number) =>
    simulateFlow(surveyFlow, lines.slice(0, count), {}, 0)
      .transcript.filter(({ from }) => from === 'flow')
      .map(({ text }) => text);
  return {
    turns: lines.map((line, index) => ({ line, readUntil: readBy(index + 1).length })),
    transcript: readBy(lines.length),
  };
}
