import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import {
  advanceRun,
  checkDefinition,
  type FlowDefinition,
  freshRun,
  type RunInput,
  type RunState,
  toMermaid,
  toSvg,
} from '../../src/index.ts';
import { arbitraryFlow, subFlow } from './arbitrary-flow.ts';

/** What happens to a run, before it is known what the run waits for. */
const happening = fc.oneof(
  fc.record({
    kind: fc.constant('message' as const),
    text: fc.constantFrom('yes', '12', 'a@b.co', 'x', '', '2026-05-01', '{{ evil }}', '__proto__'),
    replyId: fc.constantFrom(undefined, 'yes', 'no'),
  }),
  fc.record({ kind: fc.constant('timer' as const), isStale: fc.boolean() }),
  fc.record({
    kind: fc.constant('event' as const),
    type: fc.constantFrom('shopify', 'custom', 'contact', 'text'),
    total: fc.integer({ min: 0, max: 20 }),
  }),
  fc.record({
    kind: fc.constant('result' as const),
    isStale: fc.boolean(),
    result: fc.oneof(
      fc.constantFrom(
        { ok: true as const, value: { status: 200, body: { items: [1, 2] } } },
        { ok: true as const, value: { status: 500 } },
        { ok: true as const, value: { text: 'a reply' } },
        { ok: true as const, value: { label: 'two' } },
        { ok: true as const, value: { values: { n: 1 } } },
        { ok: true as const, value: { record: null } },
        { ok: true as const, value: { record: { name: '#1' } } },
        { ok: false as const, code: 'AWAY', message: 'it is away' },
      ),
      // An outside that babbles.
      fc.jsonValue().map((value) => ({ ok: true as const, value })),
    ),
  }),
  fc.record({ kind: fc.constantFrom('release' as const, 'retry' as const) }),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

const flowOf = (id: string) => (id === 'flow_sub' ? subFlow : undefined);
const LIMITS = { maxSteps: 200 };

function inputOf(happening: Happening, state: RunState, atMs: number): RunInput {
  const outside = { atMs, flows: { flow_sub: 1 }, history: [{ role: 'user' as const, content: 'hello' }] };
  const waitId = (isStale: boolean) => (isStale ? 'w99999' : (state.wait?.id ?? 'w0'));
  switch (happening.kind) {
    case 'message': {
      const { text, replyId } = happening;
      return { kind: 'message', ...outside, event: { type: 'text', text, ...(replyId ? { replyId } : {}) } };
    }
    case 'timer':
      return { kind: 'timer', ...outside, waitId: waitId(happening.isStale) };
    case 'event':
      return {
        kind: 'event',
        ...outside,
        event: { type: happening.type, name: 'thing', text: 'yes', body: { total: happening.total } },
      };
    case 'result':
      return {
        kind: 'result',
        ...outside,
        waitId: waitId(happening.isStale),
        result: happening.result as never,
      };
    default:
      return { kind: happening.kind, ...outside };
  }
}

const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/**
 * Runs a flow, and keeps its journal. At a crash what the input did is lost before it is written: it is applied once more, to the state
 * as it was read from its row.
 */
function record(definition: FlowDefinition, happenings: readonly Happening[], crashes: ReadonlySet<number>) {
  let state: RunState = freshRun;
  const journal: { input: RunInput; contact: Record<string, unknown>; steps: unknown; effects: unknown }[] =
    [];
  for (let index = 0; index <= happenings.length; index += 1) {
    const atMs = 1_767_000_000_000 + index * 600_000;
    const input: RunInput =
      index === 0
        ? {
            kind: 'start',
            atMs,
            seed: 'seed',
            flows: { flow_sub: 1 },
            history: [],
            event: { type: 'text', text: 'go' },
          }
        : inputOf(happenings[index - 1]!, state, atMs);
    const contact = { id: 'con_1', name: `Ada ${index % 2}`, timeZone: 'Europe/Berlin' };
    if (crashes.has(index)) {
      advanceRun(definition, state, input, contact, { flowOf, limits: LIMITS });
      state = stored(state);
    }
    const advance = advanceRun(definition, state, input, contact, { flowOf, limits: LIMITS });
    if (advance.state === state) continue;
    journal.push(stored({ input, contact, steps: advance.steps, effects: advance.effects }));
    state = advance.state;
  }
  return { journal, state: stored(state) };
}

function replay(definition: FlowDefinition, journal: ReturnType<typeof record>['journal']) {
  let state: RunState = freshRun;
  for (const { input, contact, steps, effects } of journal) {
    const advance = advanceRun(definition, state, input, contact, { flowOf, limits: LIMITS });
    if (!isDeepStrictEqual(stored(advance.steps), steps)) throw new Error('a replay takes other steps');
    if (!isDeepStrictEqual(stored(advance.effects), effects))
      throw new Error('a replay asks for other things');
    state = advance.state;
  }
  return stored(state);
}

/** What holds of every run, whatever its flow. */
function checkRun({ journal, state }: ReturnType<typeof record>): void {
  const steps = journal.flatMap((line) => line.steps as { number: number }[]);
  if (steps.some(({ number }, index) => number !== index + 1))
    throw new Error('steps are not numbered through');
  const effects = journal.flatMap((line) => line.effects as { step: number }[]);
  if (new Set(effects.map(({ step }) => step)).size !== effects.length)
    throw new Error('two effects have one id');
  if ((state.status === 'waiting') !== (state.wait !== undefined)) throw new Error('it waits for nothing');
  if ((state.status === 'failed') !== (state.failure !== undefined))
    throw new Error('it failed without a reason');
  if (state.steps > LIMITS.maxSteps) throw new Error('it took too many steps');
  if (JSON.stringify(state).length > 2_000_000) throw new Error('the state grows without bound');
}

t.test(
  'a run of any flow is the same however often it is interrupted, and replays identically: promise 4',
  async (t) => {
    let runs = 0;
    const ends: Record<string, number> = {};
    const kinds = new Set<string>();
    fc.assert(
      fc.property(
        arbitraryFlow(),
        fc.array(happening, { maxLength: 25 }),
        fc.array(fc.nat(25), { maxLength: 8 }),
        (definition, happenings, crashes) => {
          const problems = checkDefinition(definition);
          // A comparison of a variable that can't be compared so is refused, and rightly; nothing else may be.
          if (!problems.every(({ path }) => /\/(when|where)\b/.test(path)))
            throw new Error(`refused: ${JSON.stringify(problems)}`);
          fc.pre(problems.length === 0);
          const undisturbed = record(definition, happenings, new Set());
          const crashed = record(definition, happenings, new Set(crashes));
          if (!isDeepStrictEqual(crashed, undisturbed)) throw new Error('a crash changed the journal');
          if (!isDeepStrictEqual(replay(definition, undisturbed.journal), undisturbed.state))
            throw new Error('a replay ends elsewhere');
          checkRun(undisturbed);
          runs += 1;
          ends[undisturbed.state.status] = (ends[undisturbed.state.status] ?? 0) + 1;
          for (const { steps } of undisturbed.journal)
            for (const { kind } of steps as { kind: string }[]) kinds.add(kind);
        },
      ),
      { numRuns: 1500 },
    );
    t.equal(runs, 1500);
    t.comment(ends);
    t.equal(kinds.size, 25, 'nodes of every kind were executed');
  },
);

t.test('any flow can be drawn', async (t) => {
  let drawn = 0;
  fc.assert(
    fc.property(arbitraryFlow(), (definition) => {
      if (/NaN|undefined|Infinity/.test(toSvg(definition))) throw new Error('a picture without measures');
      toMermaid(definition);
      drawn += 1;
    }),
    { numRuns: 100 },
  );
  t.equal(drawn, 100);
});

t.test('whatever is sent for a definition is refused in words or can run: nothing throws', async (t) => {
  const bits = fc.oneof(
    fc.constantFrom(
      'kind',
      'send',
      'ask',
      'next',
      'n0',
      'nodes',
      'start',
      'triggers',
      '__proto__',
      'constructor',
      'text',
    ),
    fc.string(),
  );
  const mangled = fc
    .tuple(arbitraryFlow(), fc.array(fc.tuple(fc.nat(500), fc.jsonValue()), { minLength: 1, maxLength: 3 }))
    .map(([definition, changes]) => {
      const copy = structuredClone(definition) as unknown;
      for (const [at, value] of changes) mangle(copy, at, value);
      return copy;
    });
  let refused = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        { weight: 3, arbitrary: mangled },
        { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<unknown> },
        {
          weight: 1,
          arbitrary: fc.dictionary(bits, fc.oneof(bits, fc.dictionary(bits, bits)) as fc.Arbitrary<unknown>),
        },
      ),
      (value) => {
        const problems = checkDefinition(value);
        if (problems.length === 0) {
          record(value as FlowDefinition, [{ kind: 'message', text: 'x', replyId: undefined }], new Set());
          return;
        }
        refused += 1;
        if (problems.some(({ message, path }) => message === '' || typeof path !== 'string'))
          throw new Error('refused without a word');
      },
    ),
    { numRuns: 1500 },
  );
  t.ok(refused > 500);
});

/** Puts a value somewhere into a tree. */
function mangle(root: unknown, at: number, value: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, child] of Object.entries(node)) {
      places.push([node as Record<string, unknown>, key]);
      visit(child);
    }
  };
  visit(root);
  const place = places[at % Math.max(1, places.length)];
  if (place)
    Object.defineProperty(place[0], place[1], {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}
