import t from 'tap';
import { checkDefinition, type FlowDefinition, simulateFlow } from '../../src/index.ts';

const start = Date.parse('2026-01-05T09:00:00Z');
const texts = (simulation: ReturnType<typeof simulateFlow>) =>
  simulation.transcript.filter(({ from }) => from === 'flow').map(({ text }) => text);

const reminder: FlowDefinition = {
  name: 'Reminder',
  triggers: [{ kind: 'shopify', topics: ['checkouts/create'] }],
  exclusion: { group: 'reminder' },
  start: 'wait',
  nodes: {
    wait: {
      kind: 'wait-for-event',
      events: [{ kind: 'shopify', names: ['orders/create'], next: 'done' }],
      timeoutSeconds: 3600,
      onTimeout: 'remind',
    },
    remind: { kind: 'send', text: 'You forgot {{ event.body.item | default: "something" }}', next: 'done' },
    done: { kind: 'end' },
  },
};

t.test('events start runs and end waits, and time passes only when the script says so', async (t) => {
  t.same(checkDefinition(reminder), []);
  const checkout = { event: { kind: 'shopify' as const, name: 'checkouts/create', body: { item: 'a hat' } } };
  const bought = { event: { kind: 'shopify' as const, name: 'orders/create' } };
  t.same(texts(simulateFlow(reminder, [checkout, { waitSeconds: 3599 }], {}, start)), []);
  t.same(texts(simulateFlow(reminder, [checkout, { waitSeconds: 3600 }], {}, start)), ['You forgot a hat']);
  t.same(texts(simulateFlow(reminder, [checkout, bought, { waitSeconds: 9999 }], {}, start)), []);
  const twice = simulateFlow(reminder, [checkout, checkout, { waitSeconds: 9999 }], {}, start);
  t.equal(texts(twice).length, 1, 'one run of a group at a time');
});

const caller: FlowDefinition = {
  name: 'Caller',
  triggers: [{ kind: 'keyword', words: ['go'] }],
  start: 'ask',
  nodes: {
    ask: {
      kind: 'http-request',
      url: 'https://example.com/{{ event.text }}',
      map: { total: 'order.total' },
      onError: 'sorry',
      next: 'say',
    },
    say: { kind: 'send', text: 'It is {{ variables.total }}', next: 'sub' },
    sub: { kind: 'sub-flow', flowId: 'flow_sub', input: { who: 'Ada' }, saveAs: 'given', next: 'bye' },
    bye: { kind: 'send', text: 'Bye, {{ variables.given.name }}', next: 'hand' },
    hand: { kind: 'hand-over', reason: 'as asked', next: 'back' },
    back: { kind: 'send', text: 'I am back', next: 'end' },
    sorry: { kind: 'send', text: 'Sorry: {{ error.code }}', next: 'end' },
    end: { kind: 'end' },
  },
};
const sub: FlowDefinition = {
  name: 'Sub',
  triggers: [],
  inputs: { who: { type: 'text', required: true } },
  start: 'end',
  nodes: { end: { kind: 'end', result: { name: '{{ input.who }}!' } } },
};

t.test('calls are answered by the script, sub-flows are entered, and a person may take over', async (t) => {
  const simulation = simulateFlow(
    caller,
    [{ say: 'go' }, { say: 'hello?' }, { release: true }],
    { name: 'Ada' },
    start,
    {
      flows: { flow_sub: sub },
      answers: [
        { call: 'shopify', value: { record: null } },
        {
          call: 'http',
          where: { url: 'https://example.com/go' },
          value: { status: 200, body: { order: { total: 12 } } },
        },
      ],
    },
  );
  t.same(
    simulation.transcript.map(({ from, text }) => `${from}: ${text}`),
    [
      'person: go',
      'flow: It is 12',
      'flow: Bye, Ada!',
      'engine: the conversation is handed over to a person',
      'person: hello?',
      'engine: a person of the team answers',
      'engine: automation is back',
      'flow: I am back',
    ],
  );
  t.equal(simulation.status, 'finished');
  t.match(simulation.otherEffects, [{ kind: 'call', call: { kind: 'http', method: 'GET' } }]);
});

t.test('a call that the script does not answer fails, and an answer may fail or run out', async (t) => {
  const run = (answers: Parameters<typeof simulateFlow>[4] & object) =>
    texts(simulateFlow(caller, [{ say: 'go' }], {}, start, answers)).at(0);
  t.equal(run({}), 'Sorry: NOT_SCRIPTED');
  t.equal(run({ answers: [{ call: 'http', error: 'HTTP_TIMEOUT' }] }), 'Sorry: HTTP_TIMEOUT');
  t.equal(
    run({ answers: [{ call: 'http', where: { url: 'https://elsewhere' }, value: { status: 200 } }] }),
    'Sorry: NOT_SCRIPTED',
  );
});

t.test('chance is drawn from the seed: the same again, another with another', async (t) => {
  const split: FlowDefinition = {
    name: 'Split',
    triggers: [{ kind: 'any-message' }],
    start: 'split',
    nodes: {
      split: {
        kind: 'random-split',
        branches: [
          { weight: 1, next: 'a' },
          { weight: 1, next: 'b' },
        ],
      },
      a: { kind: 'send', text: 'A', next: 'end' },
      b: { kind: 'send', text: 'B', next: 'end' },
      end: { kind: 'end' },
    },
  };
  const of = (seed: string) => texts(simulateFlow(split, [{ say: 'x' }], {}, start, { seed }))[0];
  const seeds = Array.from({ length: 40 }, (_, index) => `s${index}`);
  t.same(seeds.map(of), seeds.map(of));
  t.same([...new Set(seeds.map(of))].toSorted(), ['A', 'B']);
});
