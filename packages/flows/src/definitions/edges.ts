import type { FlowNode } from './definition.ts';

/** A way on from a node, and what it is called. */
export interface Edge {
  to: string;
  /** `next`, `onError`, `case 1`, a button's title … */
  label: string;
}

/** The ways on from a node, in the order of its definition. */
export function edgesOf(node: FlowNode): Edge[] {
  const edges: Edge[] = [];
  const add = (label: string, to: string | undefined) => {
    if (to !== undefined) edges.push({ to, label });
  };
  switch (node.kind) {
    case 'end':
      break;
    case 'branch':
      for (const [index, each] of node.cases.entries()) add(`case ${index + 1}`, each.next);
      add('otherwise', node.otherwise);
      break;
    case 'random-split':
      for (const each of node.branches) add(`weight ${each.weight}`, each.next);
      break;
    case 'ask':
      for (const each of node.buttons ?? []) add(each.title, each.next);
      for (const row of (node.list?.sections ?? []).flatMap(({ rows }) => rows)) add(row.title, row.next);
      add('next', node.next);
      add('onInvalid', node.onInvalid);
      add('onTimeout', node.onTimeout);
      break;
    case 'wait-for-event':
      for (const each of node.events) add((each.names ?? [each.kind]).join(', '), each.next);
      add('onTimeout', node.onTimeout);
      break;
    case 'business-hours':
      add('open', node.open);
      add('closed', node.closed);
      break;
    case 'ai-classify':
      for (const each of node.labels) add(each.label, each.next);
      add('otherwise', node.otherwise);
      break;
    case 'shopify-lookup':
      add('next', node.next);
      add('onNotFound', node.onNotFound);
      break;
    case 'hand-over':
      add('next', node.next);
      add('onTimeout', node.onTimeout);
      break;
    case 'loop':
      add('body', node.body);
      add('next', node.next);
      break;
    default:
      add('next', node.next);
  }
  if ('onError' in node) add('onError', node.onError);
  return edges;
}

/** The nodes that a node can lead to. */
export function successorsOf(node: FlowNode): string[] {
  return edgesOf(node).map(({ to }) => to);
}

/**
 * Whether a run stops at this node, whatever it is given, until time has passed or a person has acted. A call does not count: a
 * circle of calls would ask for ever.
 */
export function waits(node: FlowNode): boolean {
  switch (node.kind) {
    case 'wait-until':
      return node.time !== undefined;
    case 'ask':
    case 'wait':
    case 'wait-for-event':
    case 'hand-over':
      return true;
    default:
      return false;
  }
}
