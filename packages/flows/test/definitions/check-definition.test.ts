import fc from 'fast-check';
import t from 'tap';
import { checkDefinition } from '../../src/definitions/check-definition.ts';
import type { FlowDefinition } from '../../src/definitions/definition.ts';
import { successorsOf, waits } from '../../src/definitions/edges.ts';
import { welcomeFlow } from '../../src/library/welcome-flow.ts';

const end = { kind: 'end' };
const flow = (nodes: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  name: 'Test',
  triggers: [],
  start: 'a',
  nodes,
  ...more,
});

t.test('the welcome flow has nothing wrong', async (t) => {
  t.strictSame(checkDefinition(welcomeFlow), []);
});

t.test('every problem names the node at fault', async (t) => {
  const cases: [nodes: Record<string, unknown>, node: string, message: RegExp][] = [
    [{ a: { kind: 'send', text: 'x', next: 'b' } }, 'a', /"b", which does not exist/],
    [{ a: { kind: 'send', text: 'x', next: 'constructor' } }, 'a', /does not exist/],
    [{ a: end, b: end }, 'b', /never be reached/],
    [{ a: { kind: 'send', text: 'x', next: 'a' } }, 'a', /loop in which nothing waits/],
    [
      { a: { kind: 'set-variable', name: 'x', value: '{{ open', next: 'b' }, b: end },
      'a',
      /not a valid template/,
    ],
    [{ a: { kind: 'send', text: "{{ 'now' | date: '%s' }}", next: 'b' }, b: end }, 'a', /clock/],
    [
      { a: { kind: 'send', text: '{{ contact.tags | sample }}', next: 'b' }, b: end },
      'a',
      /undefined filter/,
    ],
    [
      { a: { kind: 'ask', text: '?', saveAs: 'x', expect: 'button', next: 'b' }, b: end },
      'a',
      /needs buttons/,
    ],
    [
      { a: { kind: 'ask', text: '?', saveAs: 'x', timeoutSeconds: 9, next: 'b' }, b: end },
      'a',
      /time-out leads/,
    ],
    [
      { a: { kind: 'ask', text: '?', saveAs: 'x', onTimeout: 'b', next: 'b' }, b: end },
      'a',
      /onTimeout applies/,
    ],
    [
      {
        a: {
          kind: 'branch',
          cases: [{ when: { variable: 'x', operator: 'equals' }, next: 'b' }],
          otherwise: 'b',
        },
        b: end,
      },
      'a',
      /must be set for this operator/,
    ],
    [
      {
        a: {
          kind: 'send',
          text: 'x',
          buttons: [
            { id: '1', title: 'One' },
            { id: '1', title: 'Two' },
          ],
          next: 'b',
        },
        b: end,
      },
      'a',
      /ids that differ/,
    ],
    [{ a: end, '1b': { kind: 'whatever' } }, '1b', /must be named by a letter/],
    [{ a: { kind: 'explode' } }, 'a', /./],
  ];
  for (const [nodes, node, message] of cases) {
    const [problem] = checkDefinition(flow(nodes));
    t.equal(problem?.node, node, JSON.stringify(nodes));
    t.match(problem?.message, message);
  }
});

t.test(
  'what is no definition, or starts nowhere, or matches everything by a blank word, is refused',
  async (t) => {
    for (const value of [null, 7, 'x', [], {}, { name: 'x' }]) t.ok(checkDefinition(value).length > 0);
    t.match(checkDefinition(flow({ b: end })), [{ path: '/start' }]);
    t.match(checkDefinition(flow({ a: end }, { triggers: [{ kind: 'keyword', words: ['x', '  '] }] })), [
      { path: '/triggers/0/words' },
    ]);
    const many = Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`n${index}`, end]));
    t.match(checkDefinition(flow(many)), [{ message: /more than 500/ }]);
  },
);

t.test('no definition that is accepted can run in circles without a wait: random graphs', async (t) => {
  const name = fc.integer({ min: 0, max: 7 }).map((index) => `n${index}`);
  const node = fc.oneof(
    { weight: 3, arbitrary: name.map((next) => ({ kind: 'send' as const, text: 'x', next })) },
    {
      weight: 2,
      arbitrary: fc.tuple(name, name).map(([next, otherwise]) => ({
        kind: 'branch' as const,
        cases: [{ when: { variable: 'x', operator: 'is-set' as const }, next }],
        otherwise,
      })),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(name, name).map(([next, onInvalid]) => ({
        kind: 'ask' as const,
        text: '?',
        saveAs: 'x',
        next,
        onInvalid,
      })),
    },
    { weight: 1, arbitrary: name.map((next) => ({ kind: 'wait' as const, seconds: 1, next })) },
    { weight: 2, arbitrary: fc.constant({ kind: 'end' as const }) },
  );
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.array(node, { minLength: 1, maxLength: 8 }), (list) => {
      const nodes = Object.fromEntries(list.map((each, index) => [`n${index}`, each]));
      // Edges are bent to existing nodes; nodes that nothing reaches are left out.
      for (const each of list as Record<string, unknown>[])
        for (const field of ['next', 'otherwise', 'onInvalid'])
          if (typeof each[field] === 'string' && !(each[field] in nodes)) each[field] = 'n0';
      for (const each of list)
        if (each.kind === 'branch') for (const one of each.cases) if (!(one.next in nodes)) one.next = 'n0';
      const reached = new Set(['n0']);
      for (const each of reached) for (const next of successorsOf(nodes[each]!)) reached.add(next);
      const definition = {
        name: 'x',
        triggers: [],
        start: 'n0',
        nodes: Object.fromEntries(Object.entries(nodes).filter(([each]) => reached.has(each))),
      } satisfies FlowDefinition;
      const isAccepted = checkDefinition(definition).length === 0;
      const loops = [...reached].some((each) => comesBack(definition, each));
      if (isAccepted) accepted += 1;
      else refused += 1;
      if (isAccepted === loops) throw new Error(`accepted: ${isAccepted}, loops: ${loops}`);
    }),
    { numRuns: 2000 },
  );
  t.ok(accepted > 100 && refused > 100, `${accepted} accepted, ${refused} refused`);
});

/** Whether a walk from a node can come back to it without passing a wait; by trying every way. */
function comesBack(definition: FlowDefinition, start: string): boolean {
  const seen = new Set<string>();
  const visit = (name: string): boolean => {
    const node = definition.nodes[name]!;
    if (waits(node)) return false;
    return successorsOf(node).some((next) => {
      if (next === start && !waits(definition.nodes[start]!)) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return visit(next);
    });
  };
  return visit(start);
}
