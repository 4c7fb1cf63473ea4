import t from 'tap';
import type { FlowDefinition } from '../../src/definitions/definition.ts';
import { advanceRun, freshRun } from '../../src/execution/advance-run.ts';
import type { RunInput, RunState } from '../../src/execution/run-state.ts';
import { welcomeFlow } from '../../src/library/welcome-flow.ts';

const flow = (nodes: FlowDefinition['nodes'], start = 'a'): FlowDefinition => ({
  name: 'Test',
  triggers: [],
  start,
  nodes,
});
const start = (text = 'hi'): RunInput => ({ kind: 'start', atMs: 1000, event: { type: 'text', text } });
const say = (text: string, replyId?: string): RunInput => ({
  kind: 'message',
  atMs: 2000,
  event: { type: 'text', text, ...(replyId === undefined ? {} : { replyId }) },
});
const timer = (waitId: string): RunInput => ({ kind: 'timer', atMs: 9000, waitId });

/** Runs inputs one after the other. */
function play(definition: FlowDefinition, inputs: RunInput[], contact: Record<string, unknown> = {}) {
  let state: RunState = freshRun;
  const texts: string[] = [];
  const nodes: string[] = [];
  for (const input of inputs) {
    const advance = advanceRun(definition, state, input, contact);
    state = advance.state;
    for (const effect of advance.effects) if (effect.kind === 'send') texts.push(effect.text);
    for (const step of advance.steps) nodes.push(step.node);
  }
  return { state, texts, nodes };
}

t.test('send, set-variable, set-attribute, tag and end', async (t) => {
  const definition = flow({
    a: { kind: 'set-variable', name: 'who', value: '{{ contact.name | upcase }}', next: 'b' },
    b: { kind: 'send', text: 'Hi {{ variables.who }}, you said {{ event.text }}', next: 'c' },
    c: { kind: 'set-attribute', name: 'greeted', value: '{{ variables.who }}', next: 'd' },
    d: { kind: 'tag', add: ['new'], remove: ['old'], next: 'e' },
    e: { kind: 'end' },
  });
  const { state, effects, steps } = advanceRun(definition, freshRun, start(), { name: 'Ada' });
  t.strictSame(effects, [
    {
      kind: 'send',
      step: 2,
      text: 'Hi ADA, you said hi',
      type: 'text',
      content: { body: 'Hi ADA, you said hi' },
    },
    { kind: 'set-attribute', step: 3, name: 'greeted', value: 'ADA' },
    { kind: 'tag', step: 4, add: ['new'], remove: ['old'] },
  ]);
  t.strictSame(
    steps.map(({ number, node }) => [number, node]),
    [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
      [4, 'd'],
      [5, 'e'],
    ],
  );
  t.match(state, { status: 'finished', variables: { who: 'ADA' }, steps: 5 });
});

t.test('ask waits, tries again, gives up, and times out', async (t) => {
  const definition = flow({
    a: {
      kind: 'ask',
      text: 'How many?',
      saveAs: 'count',
      expect: 'number',
      retries: 1,
      retryText: 'A number, please.',
      onInvalid: 'bad',
      timeoutSeconds: 60,
      onTimeout: 'late',
      next: 'good',
    },
    good: { kind: 'send', text: '{{ variables.count }} it is', next: 'end' },
    bad: { kind: 'send', text: 'Never mind', next: 'end' },
    late: { kind: 'send', text: 'Too late', next: 'end' },
    end: { kind: 'end' },
  });
  t.match(play(definition, [start()]).state, {
    status: 'waiting',
    wait: { id: 'w1', kind: 'answer', node: 'a', untilMs: 61_000 },
  });
  t.strictSame(play(definition, [start(), say('3,5')]).texts, ['How many?', '3.5 it is']);
  t.strictSame(play(definition, [start(), say('x'), say('7')]).texts, [
    'How many?',
    'A number, please.',
    '7 it is',
  ]);
  t.strictSame(play(definition, [start(), say('x'), say('y')]).texts, [
    'How many?',
    'A number, please.',
    'Never mind',
  ]);
  t.strictSame(play(definition, [start(), timer('w1')]).texts, ['How many?', 'Too late']);
  t.strictSame(
    play(definition, [start(), say('x'), timer('w1')]).texts,
    ['How many?', 'A number, please.'],
    'the timer of a wait that is over does nothing',
  );
});

t.test('wait lets time pass and takes no message for an answer', async (t) => {
  const definition = flow({
    a: { kind: 'wait', seconds: 5, next: 'b' },
    b: { kind: 'send', text: 'Still there?', next: 'c' },
    c: { kind: 'end' },
  });
  t.match(play(definition, [start()]).state.wait, { kind: 'time', untilMs: 6000 });
  t.strictSame(play(definition, [start(), say('hello?')]).texts, []);
  t.match(play(definition, [start(), timer('w1')]), {
    texts: ['Still there?'],
    state: { status: 'finished' },
  });
});

t.test('branch goes on at the first case that holds', async (t) => {
  const definition = (
    operator: 'equals' | 'contains' | 'starts-with' | 'greater-than' | 'less-than',
    value: string | number,
  ) =>
    flow({
      a: { kind: 'ask', text: '?', saveAs: 'x', next: 'b' },
      b: {
        kind: 'branch',
        cases: [{ when: { variable: 'x', operator, value }, next: 'yes' }],
        otherwise: 'no',
      },
      yes: { kind: 'end' },
      no: { kind: 'end' },
    });
  const cases = [
    ['equals', 'Yes', ' yES ', 'yes'],
    ['equals', 'Yes', 'yes!', 'no'],
    ['contains', 'order', 'My ORDER, please', 'yes'],
    ['starts-with', 'my', 'My order', 'yes'],
    ['starts-with', 'order', 'My order', 'no'],
    ['greater-than', 5, '6', 'yes'],
    ['greater-than', 5, 'many', 'no'],
    ['less-than', 5, '4.5', 'yes'],
  ] as const;
  for (const [operator, value, answer, node] of cases)
    t.equal(
      play(definition(operator, value), [start(), say(answer)]).nodes.at(-1),
      node,
      `${answer} ${operator} ${value}`,
    );
});

t.test('buttons are sent as the Cloud API wants them, and their titles and ids are answers', async (t) => {
  const asked = advanceRun(welcomeFlow, freshRun, start('hello'), {});
  t.match(asked.effects, [
    {
      type: 'interactive',
      content: {
        type: 'button',
        action: { buttons: [{ type: 'reply', reply: { id: 'order', title: 'My order' } }, {}, {}] },
      },
    },
  ]);
  for (const input of [say('My order', 'order'), say('my ORDER')])
    t.equal(advanceRun(welcomeFlow, asked.state, input, {}).state.variables.need, 'order');
  const long = flow({
    a: { kind: 'send', text: '{{ event.text }}', buttons: [{ id: '1', title: 'x' }], next: 'b' },
    b: { kind: 'end' },
  });
  const [effect] = advanceRun(long, freshRun, start('😀'.repeat(2000)), {}).effects;
  t.ok(effect?.kind === 'send' && effect.text.length <= 1024 && effect.text.isWellFormed());
});

t.test('what is wrong ends the run with its reason, and an ended run takes nothing more', async (t) => {
  const empty = flow({ a: { kind: 'send', text: '{{ variables.nothing }}', next: 'b' }, b: { kind: 'end' } });
  const failed = advanceRun(empty, freshRun, start(), {});
  t.match(failed, { effects: [], state: { status: 'failed', failure: { code: 'TEXT_EMPTY', node: 'a' } } });
  t.strictSame(advanceRun(empty, failed.state, say('x'), {}), {
    state: failed.state,
    steps: [],
    effects: [],
    failures: [],
  });
  const endless = flow({ a: { kind: 'send', text: 'x', next: 'a' } });
  t.match(advanceRun(endless, freshRun, start(), {}, { limits: { maxSteps: 20 } }), {
    state: { status: 'failed', steps: 20, failure: { code: 'TOO_MANY_STEPS' } },
  });
});

t.test('a start may bring variables', async (t) => {
  const definition = flow({
    a: { kind: 'send', text: '{{ variables.order }}', next: 'b' },
    b: { kind: 'end' },
  });
  const input: RunInput = { kind: 'start', atMs: 1, event: { type: 'start' }, variables: { order: '#1' } };
  t.strictSame(play(definition, [input]).texts, ['#1']);
});
