import type { DefinitionProblem } from '../check-definition.ts';
import type { FlowDefinition } from '../definition.ts';
import { successorsOf, waits } from '../edges.ts';

/** What is wrong with the ways from node to node. */
export interface GraphProblems {
  /** Ways that lead to nothing. While there are any, the others are not looked for. */
  dangling: DefinitionProblem[];
  unreachable: DefinitionProblem[];
  endless: DefinitionProblem[];
}

/** Looks along every way through the flow. */
export function findGraphProblems(definition: FlowDefinition): GraphProblems {
  const dangling = findDangling(definition);
  if (dangling.length > 0) return { dangling, unreachable: [], endless: [] };
  return { dangling, unreachable: findUnreachable(definition), endless: findEndlessLoops(definition) };
}

function findDangling(definition: FlowDefinition): DefinitionProblem[] {
  const known = (name: string) => Object.hasOwn(definition.nodes, name);
  const problems: DefinitionProblem[] = [];
  if (!known(definition.start))
    problems.push({ path: '/start', message: `there is no node "${definition.start}"` });
  for (const [name, node] of Object.entries(definition.nodes)) {
    for (const next of new Set(successorsOf(node))) {
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

/**
 * A cycle in which no node waits would run for ever; found by removing, again and again, what leads nowhere without a wait. A loop
 * node counts its turns: only what comes after it can go on for ever.
 */
function findEndlessLoops(definition: FlowDefinition): DefinitionProblem[] {
  const rest = new Map<string, string[]>();
  for (const [name, node] of Object.entries(definition.nodes))
    if (!waits(node)) rest.set(name, node.kind === 'loop' ? [node.next] : successorsOf(node));
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
