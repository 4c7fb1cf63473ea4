import fc from 'fast-check';
import t from 'tap';
import { checkDefinition } from '../../src/definitions/check-definition.ts';
import type { FlowDefinition, FlowNode } from '../../src/definitions/definition.ts';
import { successorsOf } from '../../src/definitions/edges.ts';
import { type Advance, advanceRun, freshRun } from '../../src/execution/advance-run.ts';
import type { CallResult } from '../../src/execution/call.ts';
import type { MessageFacts, RunInput, RunState } from '../../src/execution/run-state.ts';

const NAMES = ['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7'];
const name = fc.constantFrom(...NAMES);
const text = fc.constantFrom(
  'hi',
  '{{ variables.x }}',
  '{{ event.text | upcase }}',
  '{{ contact.name }} {{ error.code }}',
  '{% for i in (1..3) %}{{ i }}{% endfor %}',
  '{{ variables.list | join: "," }}',
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const calls = { onError: maybe(name), next: name };

/** A node of any kind, with random ways on. */
const node: fc.Arbitrary<object> = fc.oneof(
  fc.record({ kind: fc.constant('send'), text, onError: maybe(name), next: name }),
  fc.record({
    kind: fc.constant('ask'),
    text,
    saveAs: fc.constant('x'),
    expect: fc.constantFrom('text', 'number', 'yes-no', 'date'),
    retries: fc.nat(2),
    onInvalid: maybe(name),
    gatherSeconds: maybe(fc.constant(2)),
    next: name,
  }),
  fc.record({ kind: fc.constant('wait'), seconds: fc.integer({ min: 1, max: 9 }), next: name }),
  fc.record({ kind: fc.constant('wait-until'), time: fc.constant('09:00'), next: name }),
  fc.record({ kind: fc.constant('wait-until'), at: text, onError: maybe(name), next: name }),
  fc.record({
    kind: fc.constant('wait-for-event'),
    events: fc.tuple(fc.record({ kind: fc.constantFrom('custom', 'message'), next: name })),
    saveAs: fc.constant('x'),
    timeoutSeconds: fc.constant(60),
    onTimeout: name,
  }),
  fc.record({
    kind: fc.constant('branch'),
    cases: fc.tuple(
      fc.record({
        when: fc.record({
          variable: fc.constantFrom('x', 'event.text', 'error.code'),
          operator: fc.constantFrom('is-set', 'is-not-set'),
        }),
        next: name,
      }),
    ),
    otherwise: name,
  }),
  fc.record({
    kind: fc.constant('random-split'),
    branches: fc.tuple(
      fc.record({ weight: fc.constant(1), next: name }),
      fc.record({ weight: fc.constant(2), next: name }),
    ),
  }),
  fc.record({
    kind: fc.constant('set-variable'),
    name: fc.constant('x'),
    value: text,
    type: fc.constantFrom('text', 'number', 'json'),
    onError: maybe(name),
    next: name,
  }),
  fc.record({
    kind: fc.constant('loop'),
    times: fc.integer({ min: 1, max: 4 }),
    as: fc.constant('x'),
    body: name,
    next: name,
  }),
  fc.record({ kind: fc.constant('tag'), add: fc.constant(['t']), next: name }),
  fc.record({
    kind: fc.constant('http-request'),
    url: fc.constant('https://e.com/{{ variables.x }}'),
    saveAs: fc.constant('x'),
    ...calls,
  }),
  fc.record({ kind: fc.constant('ai-reply'), fallbackText: fc.constant('sorry'), ...calls }),
  fc.record({
    kind: fc.constant('sub-flow'),
    flowId: fc.constantFrom('self', 'none'),
    saveAs: fc.constant('x'),
    ...calls,
  }),
  fc.record({ kind: fc.constant('hand-over'), next: name }),
  fc.constant({ kind: 'end', result: { x: '{{ variables.x }}' } }),
);

/** A definition: ways to nowhere are bent to the first node, and what nothing reaches is left out. */
const definition = fc.array(node, { minLength: 1, maxLength: NAMES.length }).map((list) => {
  const known = NAMES.slice(0, list.length);
  const bent = JSON.parse(
    JSON.stringify(list, (_key, value) =>
      NAMES.includes(value as string) && !known.includes(value as string) ? 'n0' : value,
    ),
  ) as FlowNode[];
  const nodes = Object.fromEntries(bent.map((each, index) => [NAMES[index]!, each]));
  const reached = new Set(['n0']);
  for (const each of reached) for (const next of successorsOf(nodes[each]!)) reached.add(next);
  return {
    name: 'Random',
    triggers: [],
    start: 'n0',
    limits: { maxSteps: 200 },
    nodes: Object.fromEntries(Object.entries(nodes).filter(([each]) => reached.has(each))),
  } satisfies FlowDefinition;
});

const event: fc.Arbitrary<MessageFacts> = fc.record({
  type: fc.constantFrom('text', 'custom'),
  text: fc.oneof(
    fc.constantFrom('yes', '7', '2026-01-31', '{{ evil }}', ''),
    fc.string({ unit: 'grapheme' }),
  ),
});
const result: fc.Arbitrary<CallResult> = fc.oneof(
  fc.constant({ ok: true as const, value: { status: 200, body: { a: [1] }, text: 'reply' } }),
  fc.constant({ ok: false as const, code: 'AWAY', message: 'away' }),
  fc.constant({ ok: true as const, value: null }),
);

/** What happens, without the wait it is for: that is the one that is open, now and then an old one. */
const happening = fc.record({
  kind: fc.constantFrom('message', 'event', 'timer', 'result', 'release', 'retry'),
  event,
  result,
  isStale: fc.nat(9).map((value) => value === 0),
  afterMs: fc.nat(100_000),
});

type Happening = typeof happening extends fc.Arbitrary<infer H> ? H : never;

function inputOf(
  { kind, event: what, result: answer, isStale }: Happening,
  state: RunState,
  atMs: number,
): RunInput {
  const common = {
    atMs,
    flows: { self: 1 },
    history: [{ role: 'user' as const, content: 'hello' }],
  };
  const waitId = isStale ? 'w0' : (state.wait?.id ?? '');
  switch (kind) {
    case 'message':
    case 'event':
      return { ...common, kind, event: what };
    case 'timer':
      return { ...common, kind, waitId };
    case 'result':
      return { ...common, kind, waitId, result: answer };
    default:
      return { ...common, kind: kind as 'release' | 'retry' };
  }
}

const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

t.test(
  'random flows with random inputs: never a throw, one effect a step, and a replay does the same',
  async (t) => {
    const ended = { finished: 0, failed: 0, waiting: 0 };
    fc.assert(
      fc.property(
        definition,
        fc.array(happening, { maxLength: 30 }),
        fc.string(),
        (flow, happenings, seed) => {
          fc.pre(checkDefinition(flow).length === 0);
          const advance = (state: RunState, input: RunInput): Advance =>
            advanceRun(
              flow,
              state,
              input,
              { name: 'Ada' },
              { flowOf: (id) => (id === 'self' ? flow : undefined) },
            );
          let state = freshRun;
          let atMs = 1_700_000_000_000;
          const journal: { input: RunInput; did: Advance }[] = [];
          const take = (input: RunInput) => {
            const did = advance(state, input);
            // The process dies and another one reads what was stored.
            journal.push(stored({ input, did }));
            state = stored(did.state);
          };
          take({
            kind: 'start',
            atMs,
            seed,
            event: { type: 'text', text: 'go' },
            variables: { list: [1, 2] },
            flows: { self: 1 },
            history: [],
          });
          for (const each of happenings) {
            atMs += each.afterMs;
            take(inputOf(each, state, atMs));
          }
          ended[state.status] += 1;

          const steps = journal.flatMap(({ did }) => did.steps.map(({ number }) => number));
          if (steps.some((number, index) => number !== index + 1)) throw new Error(`steps: ${steps}`);
          const effects = journal.flatMap(({ did }) => did.effects.map((effect) => effect.step));
          if (new Set(effects).size !== effects.length) throw new Error(`two effects of a step: ${effects}`);
          if (steps.length > 200) throw new Error('more steps than allowed');
          const waiting = state.status === 'waiting';
          if (waiting !== (state.wait !== undefined))
            throw new Error('a run waits for something, or has ended');

          let again = freshRun;
          for (const { input, did } of journal) {
            const replayed = advance(again, input);
            if (JSON.stringify(replayed) !== JSON.stringify(did))
              throw new Error(`${JSON.stringify(did)}\nbecame\n${JSON.stringify(replayed)}`);
            again = replayed.state;
          }
        },
      ),
      { numRuns: 500 },
    );
    t.ok(ended.finished > 5 && ended.failed > 5 && ended.waiting > 5, JSON.stringify(ended));
  },
);
