import t from 'tap';
import { advanceRun, type FlowDefinition, freshRun, type RunInput, type RunState } from '../../src/index.ts';

const end = { kind: 'end' as const };
const flow = (nodes: object, start = 'a'): FlowDefinition =>
  ({ name: 'Test', triggers: [], start, nodes: { end, ...nodes } }) as FlowDefinition;
const begin: RunInput = { kind: 'start', atMs: 1_000, event: { type: 'text', text: 'hi' } };

t.test('a run that would keep too much fails with what it had, and asks for nothing more', async (t) => {
  const definition = flow({
    a: { kind: 'http-request', url: 'https://shop.example', saveAs: 'first', next: 'b' },
    b: { kind: 'http-request', url: 'https://shop.example', saveAs: 'second', next: 'c' },
    c: { kind: 'send', text: 'never said', next: 'end' },
  });
  const limits = { maxStateCharacters: 10_000 };
  const answer = (state: RunState, size: number) =>
    advanceRun(
      definition,
      state,
      {
        kind: 'result',
        atMs: 2_000,
        waitId: state.wait!.id,
        result: { ok: true, value: { status: 200, body: 'x'.repeat(size) } },
      },
      {},
      { limits },
    );
  const small = answer(advanceRun(definition, freshRun, begin, {}, { limits }).state, 6_000);
  t.equal(small.state.status, 'waiting');
  const large = answer(small.state, 6_000);
  t.match(large.state, {
    status: 'failed',
    failure: { code: 'RUN_TOO_LARGE', message: /10000 are allowed/ },
    variables: { first: { status: 200 } },
  });
  t.notOk('second' in large.state.variables);
  t.strictSame(large.effects, []);
  t.ok(JSON.stringify(large.state).length < 10_000);
  t.strictSame(answer(small.state, 6_000), large, 'a replay fails the same');
});

t.test(
  'a message that did not go out leads to the error branch while the run is at the wait after it',
  async (t) => {
    const definition = flow({
      a: { kind: 'send', text: 'one', onError: 'sorry', next: 'b' },
      b: { kind: 'ask', text: 'two', saveAs: 'x', next: 'end' },
      sorry: { kind: 'send', text: '{{ error.code }}: {{ error.message }}', next: 'end' },
    });
    const { state } = advanceRun(definition, freshRun, begin, {});
    const outcome = (node: string): RunInput => ({
      kind: 'outcome',
      atMs: 2_000,
      node,
      outcome: 'failed',
      reason: 'not on WhatsApp',
    });
    const after = advanceRun(definition, state, outcome('a'), {});
    t.match(after, {
      state: { status: 'finished', error: { code: 'MESSAGE_FAILED', node: 'a' } },
      steps: [{ number: 3, node: 'a', note: 'MESSAGE_FAILED' }, { node: 'sorry' }, { node: 'end' }],
      effects: [{ kind: 'send', text: 'MESSAGE_FAILED: not on WhatsApp' }],
    });
    t.equal(after.state.wait, undefined);
    t.equal(advanceRun(definition, state, outcome('b'), {}).state, state, 'a node without a branch');
    t.equal(advanceRun(definition, state, outcome('gone'), {}).state, state);
    t.equal(advanceRun(definition, after.state, outcome('a'), {}).state, after.state, 'a run that has ended');
  },
);

t.test('a call holds stand-ins of secrets, which nobody can write who is heard by the flow', async (t) => {
  const definition = flow({
    a: {
      kind: 'http-request',
      method: 'POST',
      url: 'https://shop.example/{{ secrets.path }}',
      headers: { authorization: 'Bearer {{ secrets.key }}' },
      json: { text: '{{ event.text }}', key: '{{ secrets.key }}' },
      next: 'end',
    },
  });
  const callOf = (text: string) => {
    const { effects } = advanceRun(
      definition,
      freshRun,
      { kind: 'start', atMs: 1_000, event: { type: 'text', text } },
      {},
    );
    return (effects[0] as unknown as { call: object }).call as {
      url: string;
      headers: { authorization: string };
      json: { text: string; key: string };
      secrets: Record<string, string>;
    };
  };
  const call = callOf('hi');
  const standIn = Object.entries(call.secrets).find(([, name]) => name === 'key')![0];
  t.strictSame(Object.values(call.secrets).toSorted(), ['key', 'path']);
  t.equal(call.headers.authorization, `Bearer ${standIn}`);
  t.equal(call.json.key, standIn);
  t.match(call.url, /^https:\/\/shop\.example\/secret-[0-9a-f]{40}-\d-$/);
  t.strictSame(callOf('hi'), call, 'the same at every replay');
  const copied = callOf(standIn);
  t.equal(copied.json.text, standIn);
  t.notOk(Object.hasOwn(copied.secrets, standIn), 'what was one before is none now');
  const plain = flow({ a: { kind: 'http-request', url: 'https://shop.example', next: 'end' } });
  const { effects } = advanceRun(plain, freshRun, begin, {});
  t.notOk('secrets' in (effects[0] as unknown as { call: object }).call);
});
