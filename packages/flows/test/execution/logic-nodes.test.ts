import t from 'tap';
import type { FlowDefinition } from '../../src/definitions/definition.ts';
import { flow, play, said } from './helper.ts';

t.test('random-split keeps to its weights, and draws the same from the same seed', async (t) => {
  const definition = flow({
    a: {
      kind: 'random-split',
      branches: [
        { weight: 3, next: 'b' },
        { weight: 1, next: 'c' },
      ],
    },
    b: { kind: 'end' },
    c: { kind: 'end' },
  });
  const way = (seed: string) => play(definition).start(said('x'), { seed }).nodes.at(-1)!;
  const ways = Array.from({ length: 1000 }, (_, index) => way(`seed ${index}`));
  const share = ways.filter((each) => each === 'b').length / ways.length;
  t.ok(share > 0.7 && share < 0.8, `${share}`);
  t.strictSame(
    ways.slice(0, 50),
    Array.from({ length: 50 }, (_, index) => way(`seed ${index}`)),
  );
});

t.test('set-variable makes values of texts, and a wrong one is an error', async (t) => {
  const set = (type: 'number' | 'boolean' | 'json', value: string) => {
    const run = play(flow({ a: { kind: 'set-variable', name: 'x', type, value, next: 'end' } })).start();
    return run.state.failure?.code ?? run.state.variables.x;
  };
  t.equal(set('number', ' {{ 3 | plus: 4 }},5 '), 7.5);
  t.equal(set('number', 'many'), 'VALUE_INVALID');
  t.equal(set('boolean', 'Yes'), true);
  t.equal(set('boolean', 'perhaps'), 'VALUE_INVALID');
  t.strictSame(set('json', '[1, {"a": "{{ event.text }}"}]'), [1, { a: 'hi' }]);
  t.equal(set('json', '{'), 'VALUE_INVALID');
});

t.test('a loop goes through a list, or so many times, and never further than it may', async (t) => {
  const definition = (loop: object): FlowDefinition =>
    flow({
      a: { kind: 'loop', as: 'item', ...loop, body: 'b', next: 'c' },
      b: { kind: 'send', text: '{{ variables.item }}', next: 'a' },
      c: { kind: 'send', text: 'done', next: 'end' },
    });
  const items = { kind: 'start' as const, variables: { list: ['x', 'y', 'z'] } };
  const texts = (loop: object) => play(definition(loop)).start(said('x'), items).texts;
  t.strictSame(texts({ over: 'list' }), ['x', 'y', 'z', 'done']);
  t.strictSame(texts({ over: 'variables.list', maxTimes: 2 }), ['x', 'y', 'done']);
  t.strictSame(texts({ over: 'nothing' }), ['done']);
  t.strictSame(texts({ times: 2 }), ['1', '2', 'done']);
  t.match(play(definition({ over: 'event.text' })).start().state.failure, { code: 'NOT_A_LIST' });
});

t.test('a loop keeps its place while its body waits, and a loop within a loop begins anew', async (t) => {
  const definition = flow({
    a: { kind: 'loop', times: 2, body: 'b', next: 'end' },
    b: { kind: 'loop', times: 2, body: 'ask', next: 'a' },
    ask: { kind: 'ask', text: '?', saveAs: 'x', next: 'b' },
  });
  const run = play(definition).start();
  for (let turn = 0; turn < 3; turn += 1) t.equal(run.say('x').state.status, 'waiting');
  t.equal(run.say('x').state.status, 'finished');
  t.equal(run.texts.length, 4);
});

t.test('the first failure in a flow that was called is handled by whoever has a branch for it', async (t) => {
  const inner = flow({ a: { kind: 'set-variable', name: 'x', type: 'number', value: 'no', next: 'end' } });
  const middle = flow({ a: { kind: 'sub-flow', flowId: 'inner', next: 'end' } });
  const outer = (onError: object) =>
    flow({
      a: { kind: 'set-variable', name: 'kept', value: 'mine', next: 'b' },
      b: { kind: 'sub-flow', flowId: 'middle', ...onError, next: 'end' },
      c: { kind: 'send', text: '{{ error.code }} {{ variables.kept }}', next: 'end' },
    });
  const flowOf = (id: string) => ({ inner, middle })[id];
  const flows = { inner: 1, middle: 3 };
  const handled = play(outer({ onError: 'c' }), {}, { flowOf }).start(said('x'), { flows });
  t.strictSame(handled.texts, ['VALUE_INVALID mine']);
  t.notOk(handled.state.callers);
  const stopped = play(outer({}), {}, { flowOf }).start(said('x'), { flows });
  t.match(stopped.state, {
    status: 'failed',
    failure: { code: 'VALUE_INVALID', node: 'a' },
    flow: { id: 'inner', version: 1 },
    callers: [{ node: 'b' }, { node: 'a', flow: { id: 'middle', version: 3 } }],
  });
  stopped.take({ kind: 'retry', atMs: 1 });
  t.match(stopped.state, { status: 'failed', failure: { node: 'a' } }, 'and is tried again where it stopped');
});

t.test(
  'flows that call themselves, or what there is not, or what needs more, end with the reason',
  async (t) => {
    const recursive = flow({ a: { kind: 'sub-flow', flowId: 'self', next: 'end' } });
    const run = play(recursive, {}, { flowOf: () => recursive }).start(said('x'), { flows: { self: 1 } });
    t.match(run.state.failure, { code: 'SUB_FLOW_TOO_DEEP' });
    t.equal(run.state.callers?.length, 5);
    t.match(play(recursive).start().state.failure, { code: 'SUB_FLOW_MISSING' });
    const needy = flow({ a: { kind: 'end' } }, { inputs: { who: { type: 'text', required: true } } });
    const calling = play(recursive, {}, { flowOf: () => needy }).start(said('x'), { flows: { self: 1 } });
    t.match(calling.state.failure, { code: 'INPUT_INVALID', message: /"who" is missing/ });
  },
);

t.test('conditions read variables, the contact, the event and the input, and combine', async (t) => {
  const holds = (when: unknown) =>
    play(
      flow(
        {
          a: { kind: 'branch', cases: [{ when: when as never, next: 'b' }], otherwise: 'end' },
          b: { kind: 'end' },
        },
        { inputs: { plan: { type: 'text' } } },
      ),
      { tags: ['VIP'], attributes: { visits: 3, since: '2026-01-31' } },
    )
      .start(said('Hello there'), { variables: { plan: 'pro' } })
      .nodes.at(-1) === 'b';
  const yes: unknown[] = [
    { variable: 'plan', operator: 'in', value: ['free', 'PRO'] },
    { variable: 'input.plan', operator: 'equals', value: 'pro' },
    { variable: 'contact.tags', operator: 'contains', value: 'vip' },
    { variable: 'contact.attributes.visits', operator: 'at-least', value: 3 },
    { variable: 'contact.attributes.since', operator: 'less-than', value: '2026-02-01' },
    { variable: 'event.text', operator: 'matches', value: '^hello' },
    { variable: 'event.text', operator: 'ends-with', value: 'THERE' },
    { variable: 'nothing', operator: 'is-not-set' },
    { variable: 'nothing', operator: 'not-equals', value: 'x' },
    {
      any: [
        { variable: 'nothing', operator: 'is-set' },
        { variable: 'plan', operator: 'is-set' },
      ],
    },
  ];
  for (const when of yes) t.ok(holds(when), JSON.stringify(when));
  const no: unknown[] = [
    { variable: 'contact.tags.map', operator: 'is-set' },
    { variable: 'contact.constructor', operator: 'is-set' },
    { variable: '__proto__', operator: 'is-set' },
    { variable: 'contact.attributes.visits', operator: 'at-most', value: 2 },
    { variable: 'nothing', operator: 'less-than', value: 5 },
    {
      all: [
        { variable: 'plan', operator: 'is-set' },
        { variable: 'nothing', operator: 'is-set' },
      ],
    },
  ];
  for (const when of no) t.notOk(holds(when), JSON.stringify(when));
});
