import { choicesOf } from '../../execution/check-answer.ts';
import { pathsOfTemplate } from '../../execution/render-text.ts';
import type { DefinitionProblem, DefinitionSurroundings } from '../check-definition.ts';
import type { FlowDefinition, FlowNode } from '../definition.ts';
import { comparisonsOf, conditionProblems } from './conditions.ts';
import { templatesOf } from './templates.ts';

/** What a variable can be, as far as its nodes tell; `choices`: only one of these. */
interface Kind {
  type: 'text' | 'number' | 'boolean' | 'list' | 'object' | 'unknown';
  choices?: readonly string[];
}

const SIZES = ['greater-than', 'less-than', 'at-least', 'at-most'];

/** Values that are used as what they can't be, and variables that nothing sets. */
export function findTypeProblems(
  definition: FlowDefinition,
  { flows }: DefinitionSurroundings,
): DefinitionProblem[] {
  const kinds = kindsOf(definition);
  return Object.entries(definition.nodes).flatMap(([name, node]) =>
    [
      ...conditionsOf(node).flatMap(({ condition, field }) => [
        ...conditionProblems(condition, field),
        ...comparisonsOf(condition, field).flatMap((each) => comparisonProblems(each, kinds)),
      ]),
      ...pathProblems(node, kinds),
      ...(definition.inputs === undefined ? [] : unsetProblems(node, kinds)),
      ...(node.kind === 'sub-flow' ? subFlowProblems(node, flows) : []),
    ].map(([field, message]) => ({ node: name, path: `/nodes/${name}/${field}`, message })),
  );
}

/** What the nodes make of each variable; what is set in different ways can be anything. */
function kindsOf({ nodes, inputs }: FlowDefinition): Map<string, Kind> {
  const kinds = new Map<string, Kind>();
  const set = (name: string | undefined, kind: Kind) => {
    if (name === undefined) return;
    const known = kinds.get(name);
    if (known === undefined) kinds.set(name, kind);
    else if (known.type !== kind.type) kinds.set(name, { type: 'unknown' });
    else if (known.choices && kind.choices)
      kinds.set(name, { ...kind, choices: [...known.choices, ...kind.choices] });
    else kinds.set(name, { type: kind.type });
  };
  for (const [name, { type }] of Object.entries(inputs ?? {})) set(name, { type });
  for (const node of Object.values(nodes)) {
    switch (node.kind) {
      case 'ask':
        set(node.saveAs, answerKind(node));
        break;
      case 'set-variable':
        set(node.name, { type: node.type === 'json' ? 'unknown' : (node.type ?? 'text') });
        break;
      case 'loop':
        set(node.as, { type: node.over === undefined ? 'number' : 'unknown' });
        break;
      case 'ai-classify':
        set(node.saveAs, { type: 'text', choices: node.labels.map(({ label }) => label) });
        break;
      case 'ai-reply':
      case 'transcribe':
        set(node.saveAs, { type: 'text' });
        break;
      case 'ai-extract':
      case 'shopify-lookup':
      case 'sub-flow':
        set(node.saveAs, { type: 'object' });
        break;
      case 'wait-for-event':
        set(node.saveAs, { type: 'unknown' });
        break;
      case 'http-request':
        set(node.saveAs, { type: 'object' });
        for (const name of Object.keys(node.map ?? {})) set(name, { type: 'unknown' });
        break;
    }
  }
  return kinds;
}

function answerKind(node: Extract<FlowNode, { kind: 'ask' }>): Kind {
  switch (node.expect ?? 'text') {
    case 'number':
      return { type: 'number' };
    case 'yes-no':
      return { type: 'boolean' };
    case 'media':
    case 'location':
      return { type: 'object' };
    case 'button':
      return { type: 'text', choices: choicesOf(node).map(({ id }) => id) };
    default:
      return { type: 'text' };
  }
}

function conditionsOf(node: FlowNode) {
  if (node.kind === 'branch')
    return node.cases.map(({ when }, index) => ({ condition: when, field: `cases/${index}/when` }));
  if (node.kind !== 'wait-for-event') return [];
  return node.events.flatMap(({ where }, index) =>
    where === undefined ? [] : [{ condition: where, field: `events/${index}/where` }],
  );
}

type Problem = [field: string, message: string];

function comparisonProblems(
  { comparison, field }: ReturnType<typeof comparisonsOf>[number],
  kinds: Map<string, Kind>,
): Problem[] {
  const { operator, value } = comparison;
  const name = comparison.variable.replace(/^variables\./, '');
  const kind = kinds.get(name);
  if (!kind) return [];
  if (SIZES.includes(operator) && ['boolean', 'list', 'object'].includes(kind.type))
    return [[field, `"${name}" is of type ${kind.type}: it has no size to compare`]];
  if (operator === 'equals' && kind.choices && typeof value === 'string') {
    const plain = value.trim().toLowerCase();
    if (!kind.choices.some((choice) => choice.trim().toLowerCase() === plain))
      return [[`${field}/value`, `"${name}" is never "${value}", but ${kind.choices.join(', ')}`]];
  }
  return [];
}

/** Paths that must lead to a list, or to a file. */
function pathProblems(node: FlowNode, kinds: Map<string, Kind>): Problem[] {
  const wanted =
    node.kind === 'loop'
      ? ({ field: 'over', path: node.over, type: 'list' } as const)
      : node.kind === 'transcribe'
        ? ({ field: 'media', path: node.media, type: 'object' } as const)
        : undefined;
  if (wanted?.path === undefined) return [];
  const { field, path, type } = wanted;
  const kind = kinds.get(path.replace(/^variables\./, ''));
  if (!kind || kind.type === type || kind.type === 'unknown') return [];
  const what = type === 'list' ? 'a list' : 'a media file';
  return [[field, `must be ${what}, and "${path}" is of type ${kind.type}`]];
}

/** Variables that are read, though neither a node nor an input gives them a value. */
function unsetProblems(node: FlowNode, kinds: Map<string, Kind>): Problem[] {
  const read = [
    ...templatesOf(node).flatMap(({ field, template }) =>
      pathsOfTemplate(template)
        .filter(([root]) => root === 'variables')
        .map(([, name]) => ({ field, name })),
    ),
    ...conditionsOf(node).flatMap(({ condition, field }) =>
      comparisonsOf(condition, field)
        .filter(({ comparison }) => /^(variables\.)?[A-Za-z0-9_-]+$/.test(comparison.variable))
        .map((each) => ({ field: each.field, name: each.comparison.variable.replace(/^variables\./, '') })),
    ),
  ];
  return read
    .filter(({ name }) => name !== undefined && !kinds.has(name))
    .map(({ field, name }) => [field, `reads the variable "${name}", which nothing sets`]);
}

/** A flow to call that there is not, or that is not given what it needs. */
function subFlowProblems(
  node: Extract<FlowNode, { kind: 'sub-flow' }>,
  flows: DefinitionSurroundings['flows'],
): Problem[] {
  if (flows === undefined) return [];
  const flow = flows.get(node.flowId);
  if (!flow) return [['flowId', `there is no published flow "${node.flowId}"`]];
  const given = node.input ?? {};
  const problems: Problem[] = [];
  for (const [name, { required, default: fallback }] of Object.entries(flow.inputs ?? {}))
    if (required && fallback === undefined && !Object.hasOwn(given, name))
      problems.push(['input', `must give "${name}", which the flow needs`]);
  if (flow.inputs !== undefined)
    for (const name of Object.keys(given))
      if (!Object.hasOwn(flow.inputs, name))
        problems.push([`input/${name}`, 'is no input that the flow declares']);
  return problems;
}
