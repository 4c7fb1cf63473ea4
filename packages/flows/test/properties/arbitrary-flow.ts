import fc from 'fast-check';
import { type FlowDefinition, type FlowNode, successorsOf } from '../../src/index.ts';

/** How flows are drawn. */
export interface FlowChoice {
  /** Kinds that may be drawn; all where absent. */
  kinds?: readonly FlowNode['kind'][];
}

const templates = fc.constantFrom(
  'Hello',
  'Hi {{ contact.name }}, {{ variables.a }}!',
  '{{ event.text | default: "nothing" | upcase }}',
  '{% if variables.b %}b is {{ variables.b }}{% else %}no b{% endif %} ',
  '{{ variables.list | join: ", " }} and {{ event.body.total }}',
  // Fails when it runs, for most values.
  '{{ variables.a | divided_by: 0 }}x',
  '{% for i in (1..20) %}{{ i }}{% endfor %}',
);
const variable = fc.constantFrom('a', 'b', 'c', 'list');
const path = fc.constantFrom(
  'a',
  'b',
  'contact.name',
  'event.text',
  'event.body.total',
  'error.code',
  'input.x',
);
const comparison = fc.oneof(
  fc.record({
    variable: path,
    operator: fc.constantFrom(
      'equals' as const,
      'contains' as const,
      'starts-with' as const,
      'not-equals' as const,
    ),
    value: fc.constantFrom('yes', '1', 'Ada', ''),
  }),
  fc.record({
    variable: path,
    operator: fc.constantFrom('greater-than' as const, 'at-most' as const),
    value: fc.constantFrom(0, 3, 10),
  }),
  fc.record({ variable: path, operator: fc.constantFrom('is-set' as const, 'is-not-set' as const) }),
  fc.record({
    variable: path,
    operator: fc.constant('matches' as const),
    value: fc.constantFrom('^\\d+$', '(a+)+$'),
  }),
  fc.record({ variable: path, operator: fc.constant('in' as const), value: fc.constant(['yes', 'no', 3]) }),
);
const condition = fc.oneof(
  comparison,
  fc.record({ all: fc.array(comparison, { minLength: 1, maxLength: 2 }) }),
  fc.record({ any: fc.array(comparison, { minLength: 1, maxLength: 2 }) }),
);
const buttons = [
  { id: 'yes', title: 'Yes' },
  { id: 'no', title: 'No' },
];
const seconds = fc.constantFrom(1, 60, 3600, 86_400);

type Draft = Record<string, unknown>;
/** Draws a node: `on` draws where it leads when it does not wait, `back` when it does. */
type Drawer = (on: fc.Arbitrary<string>, back: fc.Arbitrary<string>) => fc.Arbitrary<Draft>;

const onError = (on: fc.Arbitrary<string>) => fc.option(on, { nil: undefined });

const drawers: Record<FlowNode['kind'], Drawer> = {
  send: (on) =>
    fc.record({
      text: templates,
      buttons: fc.option(fc.constant(buttons), { nil: undefined }),
      onError: onError(on),
      next: on,
    }),
  ask: (on, back) =>
    fc
      .record({
        text: templates,
        saveAs: variable,
        expect: fc.constantFrom('text', 'number', 'email', 'date', 'yes-no', 'button'),
        retries: fc.integer({ min: 0, max: 2 }),
        retryText: fc.option(templates, { nil: undefined }),
        onInvalid: fc.option(back, { nil: undefined }),
        timeout: fc.option(fc.record({ timeoutSeconds: seconds, onTimeout: back }), { nil: undefined }),
        gatherSeconds: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
        onError: onError(on),
        next: back,
      })
      .map(({ timeout, ...node }) => ({
        ...node,
        ...timeout,
        ...(node.expect === 'button' ? { buttons } : {}),
      })),
  wait: (_on, back) => fc.record({ seconds, next: back }),
  'wait-until': (on, back) =>
    fc.oneof(
      fc.record({ time: fc.constantFrom('09:30', '24:00'), next: back }),
      fc.record({
        at: fc.constantFrom('2026-03-01T10:00:00Z', '{{ variables.a }}'),
        onError: onError(on),
        next: on,
      }),
    ),
  'wait-for-event': (_on, back) =>
    fc.record({
      events: fc.array(
        fc.record({
          kind: fc.constantFrom('message', 'shopify', 'custom', 'contact'),
          where: fc.option(comparison, { nil: undefined }),
          next: back,
        }),
        { minLength: 1, maxLength: 3 },
      ),
      saveAs: fc.option(variable, { nil: undefined }),
      timeoutSeconds: seconds,
      onTimeout: back,
    }),
  'business-hours': (on) =>
    fc.record({
      hours: fc.constant({ mon: [{ from: '09:00', to: '17:00' }], sun: [{ from: '10:00', to: '24:00' }] }),
      timeZone: fc.constantFrom('Europe/Berlin', 'America/New_York'),
      open: on,
      closed: fc.option(on, { nil: undefined }),
    }),
  branch: (on) =>
    fc.record({
      cases: fc.array(fc.record({ when: condition, next: on }), { minLength: 1, maxLength: 3 }),
      otherwise: on,
    }),
  'random-split': (on) =>
    fc.record({
      branches: fc.array(fc.record({ weight: fc.integer({ min: 1, max: 9 }), next: on }), {
        minLength: 2,
        maxLength: 4,
      }),
    }),
  'set-variable': (on) =>
    fc.record({
      name: variable,
      value: templates,
      type: fc.constantFrom('text', 'number', 'boolean', 'json', undefined),
      onError: onError(on),
      next: on,
    }),
  'set-attribute': (on) =>
    fc.record({ name: fc.constant('plan'), value: templates, onError: onError(on), next: on }),
  tag: (on) => fc.record({ add: fc.constant(['x']), next: on }),
  'set-consent': (on) => fc.record({ purpose: fc.constant('marketing'), granted: fc.boolean(), next: on }),
  'http-request': (on) =>
    fc.record({
      url: fc.constant('https://example.com/{{ variables.a }}'),
      saveAs: fc.option(variable, { nil: undefined }),
      map: fc.option(fc.constant({ list: 'items' }), { nil: undefined }),
      onError: onError(on),
      next: on,
    }),
  'ai-reply': (on) =>
    fc.record({
      saveAs: fc.option(variable, { nil: undefined }),
      send: fc.option(fc.boolean(), { nil: undefined }),
      fallbackText: fc.constant('Sorry'),
      next: on,
    }),
  'ai-classify': (on) =>
    fc.record({
      labels: fc.tuple(on, on).map(([a, b]) => [
        { label: 'one', next: a },
        { label: 'two', next: b },
      ]),
      otherwise: on,
    }),
  'ai-extract': (on) =>
    fc.record({
      schema: fc.constant({ type: 'object', properties: { n: { type: 'number' } } }),
      saveAs: variable,
      onError: on,
      next: on,
    }),
  transcribe: (on) => fc.record({ saveAs: variable, onError: on, next: on }),
  'shopify-lookup': (on) =>
    fc.record({
      resource: fc.constant('order'),
      by: fc.constant('name'),
      value: fc.constant('{{ variables.a | default: "#1" }}'),
      saveAs: variable,
      onNotFound: fc.option(on, { nil: undefined }),
      onError: onError(on),
      next: on,
    }),
  'send-email': (on) =>
    fc.record({
      to: fc.constant('a@example.com'),
      subject: fc.constant('Hi'),
      text: templates,
      onError: onError(on),
      next: on,
    }),
  'webhook-event': (on) =>
    fc.record({
      type: fc.constant('shop.thing'),
      data: fc.constant({ a: '{{ variables.a }}' }),
      onError: onError(on),
      next: on,
    }),
  'notify-team': (on) =>
    fc.record({ title: fc.constant('Look'), body: templates, onError: onError(on), next: on }),
  'hand-over': (_on, back) =>
    fc.oneof(fc.constant({}), fc.record({ timeoutSeconds: fc.constantFrom(60, 3600), next: back })),
  'sub-flow': (on) =>
    fc.record({
      flowId: fc.constantFrom('flow_sub', 'flow_absent'),
      input: fc.constant({ x: '{{ variables.a }}' }),
      saveAs: fc.option(variable, { nil: undefined }),
      onError: onError(on),
      next: on,
    }),
  loop: (on) => fc.record({ times: fc.integer({ min: 1, max: 4 }), as: variable, body: on, next: on }),
  end: () => fc.constantFrom({}, { result: { a: '{{ variables.a }}' } }),
};

/** What `sub-flow` nodes call: it asks, so that a run may wait within it. */
export const subFlow: FlowDefinition = {
  name: 'Sub',
  triggers: [],
  inputs: { x: { type: 'text' } },
  start: 'ask',
  nodes: {
    ask: { kind: 'ask', text: 'In the sub-flow: {{ input.x }}', saveAs: 'said', next: 'end' },
    end: { kind: 'end', result: { said: '{{ variables.said }}' } },
  },
};

/**
 * Draws flows that can run: what does not wait leads only forward, what waits leads anywhere, and what is never reached is left out.
 */
export function arbitraryFlow({ kinds }: FlowChoice = {}): fc.Arbitrary<FlowDefinition> {
  const drawn = kinds ?? (Object.keys(drawers) as FlowNode['kind'][]);
  return fc.integer({ min: 2, max: 12 }).chain((count) => {
    const name = (index: number) => `n${index}`;
    const nodes = Array.from({ length: count }, (_, index) => {
      if (index === count - 1) return fc.constant<Draft>({ kind: 'end' });
      const on = fc.integer({ min: index + 1, max: count - 1 }).map(name);
      const back = fc.integer({ min: 0, max: count - 1 }).map(name);
      return fc
        .constantFrom(...drawn)
        .chain((kind) => drawers[kind](on, back).map((node): Draft => ({ kind, ...node })));
    });
    return fc.tuple(...nodes).map((all) => prune(all.map(withoutUndefined)));
  });
}

function withoutUndefined(node: Draft): Draft {
  return JSON.parse(JSON.stringify(node)) as Draft;
}

/** Leaves out what can't be reached. */
function prune(all: Draft[]): FlowDefinition {
  const nodes = Object.fromEntries(all.map((node, index) => [`n${index}`, node])) as unknown as Record<
    string,
    FlowNode
  >;
  const reached = new Set(['n0']);
  for (const name of reached) for (const next of successorsOf(nodes[name]!)) reached.add(next);
  return {
    name: 'Drawn',
    triggers: [{ kind: 'any-message' }],
    start: 'n0',
    nodes: Object.fromEntries(Object.entries(nodes).filter(([name]) => reached.has(name))),
  };
}
