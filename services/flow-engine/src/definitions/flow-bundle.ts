import type { FlowDefinition } from '@switchyard/flows';

/** Flows that go together, as a file: for another installation, or for git. */
export interface FlowBundle {
  format: 'switchyard.flows';
  version: 1;
  /** The first is the one that was asked for; the others are those that it calls or follows. */
  flows: { id: string; definition: FlowDefinition }[];
}

/** The other flows that a definition names. */
export function flowsNamedBy({ nodes, triggers }: FlowDefinition): string[] {
  return [
    ...Object.values(nodes).flatMap((node) => (node.kind === 'sub-flow' ? [node.flowId] : [])),
    ...triggers.flatMap((trigger) => (trigger.kind === 'flow' ? trigger.flowIds : [])),
  ];
}

/** A definition that names other flows by other ids. */
export function renameFlows(definition: FlowDefinition, ids: ReadonlyMap<string, string>): FlowDefinition {
  const renamed = (id: string) => ids.get(id) ?? id;
  return {
    ...definition,
    nodes: Object.fromEntries(
      Object.entries(definition.nodes).map(([name, node]) => [
        name,
        node.kind === 'sub-flow' ? { ...node, flowId: renamed(node.flowId) } : node,
      ]),
    ),
    triggers: definition.triggers.map((trigger) =>
      trigger.kind === 'flow' ? { ...trigger, flowIds: trigger.flowIds.map(renamed) } : trigger,
    ),
  };
}
