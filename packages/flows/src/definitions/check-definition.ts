import { Compile } from 'typebox/compile';
import { findTemplateProblem } from '../execution/render-text.ts';
import { FlowDefinition, type FlowNode, successorsOf, waits } from './definition.ts';

/** Something wrong in a definition. */
export interface DefinitionProblem {
  /** The node at fault, where there is one. */
  node?: string;
  /** Where in the definition, as a JSON pointer. */
  path: string;
  message: string;
}

const schema = Compile(FlowDefinition);

/** A pattern of keys says nothing about keys that don't match it. */
const NODE_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** More nodes than a person can read; a flow that needs them is better split. */
const MAX_NODES = 500;

/**
 * Finds everything that is wrong with a definition before anyone runs it.
 *
 * @returns no problems: the value is a {@link FlowDefinition} whose runs cannot fall off the end, cannot loop without a wait and
 * use only templates that parse.
 */
export function checkDefinition(value: unknown): DefinitionProblem[] {
  if (!schema.Check(value)) {
    return [...schema.Errors(value)]
      .slice(0, 20)
      .map(({ instancePath, message }) => ({ ...nodeOf(instancePath), path: instancePath, message }));
  }
  const names = Object.keys(value.nodes);
  if (names.length > MAX_NODES)
    return [{ path: '/nodes', message: `must not hold more than ${MAX_NODES} nodes` }];
  const misnamed = names.filter((name) => !NODE_NAME.test(name));
  if (misnamed.length > 0)
    return misnamed.map((node) => ({
      node,
      path: `/nodes/${node}`,
      message: 'must be named by a letter and up to 63 letters, digits, "-" or "_"',
    }));
  const dangling = findDangling(value);
  if (dangling.length > 0) return dangling;
  return [
    ...findUnreachable(value),
    ...findEndlessLoops(value),
    ...findTriggerProblems(value),
    ...findNodeProblems(value),
  ];
}

/** A blank word would be found in everything. */
function findTriggerProblems({ triggers }: FlowDefinition): DefinitionProblem[] {
  return triggers.flatMap((trigger, index) =>
    trigger.kind === 'keyword' && trigger.words.some((word) => word.trim() === '')
      ? [{ path: `/triggers/${index}/words`, message: 'must not hold a blank word' }]
      : [],
  );
}

function nodeOf(path: string): { node?: string } {
  const [, area, node] = path.split('/');
  return area === 'nodes' && node !== undefined ? { node } : {};
}

function findDangling(definition: FlowDefinition): DefinitionProblem[] {
  const known = (name: string) => Object.hasOwn(definition.nodes, name);
  const problems: DefinitionProblem[] = [];
  if (!known(definition.start))
    problems.push({ path: '/start', message: `there is no node "${definition.start}"` });
  for (const [name, node] of Object.entries(definition.nodes)) {
    for (const next of successorsOf(node)) {
      if (!known(next))
        problems.push({
          node: name,
          path: `/nodes/${name}`,
          message: `leads to "${next}", which does not exist`,
        });
    }
  }
  return problems;
}

function findUnreachable(definition: FlowDefinition): DefinitionProblem[] {
  const reached = new Set([definition.start]);
  // A set grows while it is walked: every node is visited once.
  for (const name of reached) for (const next of successorsOf(definition.nodes[name]!)) reached.add(next);
  return Object.keys(definition.nodes)
    .filter((name) => !reached.has(name))
    .map((name) => ({ node: name, path: `/nodes/${name}`, message: 'can never be reached' }));
}

/** A cycle in which no node waits would run for ever; found by removing, again and again, what leads nowhere without a wait. */
function findEndlessLoops(definition: FlowDefinition): DefinitionProblem[] {
  const rest = new Map<string, string[]>();
  for (const [name, node] of Object.entries(definition.nodes))
    if (!waits(node)) rest.set(name, successorsOf(node));
  for (let shrank = true; shrank; ) {
    shrank = false;
    for (const [name, successors] of rest) {
      if (successors.some((next) => rest.has(next))) continue;
      rest.delete(name);
      shrank = true;
    }
  }
  const [first] = rest.keys();
  if (first === undefined) return [];
  return [{ node: first, path: `/nodes/${first}`, message: 'leads into a loop in which nothing waits' }];
}

function findNodeProblems(definition: FlowDefinition): DefinitionProblem[] {
  return Object.entries(definition.nodes).flatMap(([name, node]) =>
    problemsOf(node).map(([field, message]) => ({ node: name, path: `/nodes/${name}/${field}`, message })),
  );
}

function problemsOf(node: FlowNode): [field: string, message: string][] {
  const problems: [string, string][] = [];
  for (const field of ['text', 'retryText', 'value'] as const) {
    const template = (node as Record<string, unknown>)[field];
    const problem = typeof template === 'string' ? findTemplateProblem(template) : undefined;
    if (problem !== undefined) problems.push([field, problem]);
  }
  if (node.kind === 'ask') {
    if (node.expect === 'button' && node.buttons === undefined)
      problems.push(['expect', 'needs buttons to choose from']);
    if (node.timeoutSeconds !== undefined && node.onTimeout === undefined)
      problems.push(['onTimeout', 'must say where a time-out leads']);
    if (node.onTimeout !== undefined && node.timeoutSeconds === undefined)
      problems.push(['timeoutSeconds', 'must say when onTimeout applies']);
  }
  if (node.kind === 'branch') {
    for (const [index, { when }] of node.cases.entries()) {
      if (when.operator !== 'is-set' && when.value === undefined)
        problems.push([`cases/${index}/when/value`, 'must be set for this operator']);
    }
  }
  const buttons = 'buttons' in node ? (node.buttons ?? []) : [];
  if (new Set(buttons.map((button) => button.id)).size !== buttons.length)
    problems.push(['buttons', 'must have ids that differ']);
  return problems;
}
