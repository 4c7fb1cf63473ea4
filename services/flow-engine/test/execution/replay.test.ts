import type { FlowDefinition, RunInput, RunState } from '@switchyard/flows';
import { advanceRun, freshRun } from '@switchyard/flows';
import fc from 'fast-check';
import t from 'tap';
import type { RecordedInput } from '../../src/runs/create-run-store.ts';
import { effectId } from '../../src/runs/effect-jobs.ts';
import { replayRun } from '../../src/runs/replay-run.ts';

const definition: FlowDefinition = {
  name: 'Everything',
  triggers: [],
  start: 'ask',
  nodes: {
    ask: {
      kind: 'ask',
      text: 'Hi {{ contact.name }}, a number? {{ variables.n }}',
      saveAs: 'n',
      expect: 'number',
      retries: 2,
      timeoutSeconds: 30,
      onTimeout: 'nap',
      onInvalid: 'nap',
      next: 'big',
    },
    big: {
      kind: 'branch',
      cases: [{ when: { variable: 'n', operator: 'greater-than', value: 10 }, next: 'tag' }],
      otherwise: 'sum',
    },
    sum: {
      kind: 'set-variable',
      name: 'sum',
      value: '{{ variables.sum | default: 0 | plus: variables.n }}',
      next: 'ask',
    },
    tag: { kind: 'tag', add: ['big'], next: 'learn' },
    learn: { kind: 'set-attribute', name: 'sum', value: '{{ variables.sum }}', next: 'mail' },
    mail: {
      kind: 'ask',
      text: 'Your mail?',
      saveAs: 'mail',
      expect: 'email',
      onInvalid: 'nap',
      next: 'bye',
    },
    nap: { kind: 'wait', seconds: 60, next: 'ask' },
    bye: { kind: 'send', text: 'Bye {{ variables.mail }} {{ variables.sum }}', next: 'end' },
    end: { kind: 'end' },
  },
};

const event = fc.record({
  type: fc.constant('text'),
  text: fc.oneof(
    fc.constantFrom('1', '5', '11', '99', 'x', 'a@b.co', '', ' 7 ', '{{ evil }}', '__proto__'),
    fc.string({ unit: 'grapheme' }),
  ),
});
const input: fc.Arbitrary<RunInput> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('message' as const), atMs: fc.nat(), event }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('timer' as const),
      atMs: fc.nat(),
      waitId: fc.nat(40).map((number) => `w${number}`),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('start' as const), atMs: fc.nat(), event }) },
);

/** Runs the inputs and keeps what the engine would; at each `crash` the state is as it was read from its row. */
function record(inputs: RunInput[], crashAfter: ReadonlySet<number>) {
  let state: RunState = freshRun;
  const journal: RecordedInput[] = [];
  for (const [index, each] of inputs.entries()) {
    const contact = { name: `Ada ${index % 3}` };
    const advance = advanceRun(definition, state, each, contact);
    state = advance.state;
    const stored = {
      number: index + 1,
      input: each,
      contact,
      steps: advance.steps,
      effects: advance.effects.map((effect) => ({ id: effectId('run_1', effect.step), ...effect })),
      atMs: each.atMs,
    };
    journal.push(JSON.parse(JSON.stringify(stored)));
    if (crashAfter.has(index)) state = JSON.parse(JSON.stringify(state));
  }
  return { journal, endState: JSON.parse(JSON.stringify(state)) as RunState };
}

t.test('any run replays identically, wherever it was interrupted: promise 4', async (t) => {
  let replayed = 0;
  fc.assert(
    fc.property(fc.array(input, { maxLength: 25 }), fc.array(fc.nat(30)), (more, crashes) => {
      const first: RunInput = { kind: 'start', atMs: 0, event: { type: 'text', text: 'go' } };
      const run = record([first, ...more], new Set(crashes));
      const result = replayRun(definition, { runId: 'run_1', ...run });
      if (!result.identical) throw new Error(JSON.stringify(result.difference));
      const numbers = run.journal.flatMap(({ steps }) => steps.map(({ number }) => number));
      if (numbers.some((number, index) => number !== index + 1))
        throw new Error('steps are not numbered through');
      const ids = run.journal.flatMap(({ effects }) => effects.map(({ id }) => id));
      if (new Set(ids).size !== ids.length) throw new Error('two effects have one id');
      replayed += 1;
    }),
    { numRuns: 1000 },
  );
  t.equal(replayed, 1000);
});

t.test('a replay names the first difference', async (t) => {
  const inputs: RunInput[] = [
    { kind: 'start', atMs: 0, event: { type: 'text', text: 'go' } },
    { kind: 'message', atMs: 1, event: { type: 'text', text: '5' } },
  ];
  const run = record(inputs, new Set());
  const changed = structuredClone(definition);
  changed.nodes.sum = { kind: 'set-variable', name: 'sum', value: '0', next: 'ask' };
  t.match(replayRun(changed, { runId: 'run_1', ...run }), {
    identical: false,
    difference: { part: 'state', replayed: { variables: { sum: '0' } } },
  });
  run.journal[1]!.steps = [{ number: 2, node: 'elsewhere', kind: 'send' }];
  t.match(replayRun(definition, { runId: 'run_1', ...run }), {
    identical: false,
    difference: { number: 2, part: 'steps' },
  });
});
