import type { FlowDefinition, PublishedFlow } from '@switchyard/flows';

/** What runs of a flow need of the outside, beside the event. */
export interface FlowNeeds {
  /** The flows that it calls. */
  subFlows: readonly string[];
  /** How much of the conversation its models are shown, in tokens; 0: none. */
  historyTokens: number;
  /** Whether it draws by chance. */
  chance: boolean;
}

const HISTORY_TOKENS = 2000;
const known = new WeakMap<FlowDefinition, FlowNeeds>();

/** What a definition needs by itself. */
export function needsOf(definition: FlowDefinition): FlowNeeds {
  const kept = known.get(definition);
  if (kept) return kept;
  const nodes = Object.values(definition.nodes);
  const needs = {
    subFlows: nodes.flatMap((node) => (node.kind === 'sub-flow' ? [node.flowId] : [])),
    historyTokens: Math.max(
      0,
      ...nodes.map((node) => (node.kind === 'ai-reply' ? (node.historyTokens ?? HISTORY_TOKENS) : 0)),
    ),
    chance: nodes.some(({ kind }) => kind === 'random-split'),
  };
  known.set(definition, needs);
  return needs;
}

/** What definitions need with the flows that they call, and those that they call in turn; those flows by id. */
export function allNeedsOf(
  definitions: readonly FlowDefinition[],
  published: readonly PublishedFlow[],
): FlowNeeds & { flows: ReadonlyMap<string, PublishedFlow> } {
  const own = definitions.map(needsOf);
  const flows = new Map<string, PublishedFlow>();
  let historyTokens = Math.max(...own.map((each) => each.historyTokens));
  let chance = own.some((each) => each.chance);
  // A set grows while it is walked: each flow is visited once.
  const wanted = new Set(own.flatMap(({ subFlows }) => subFlows));
  for (const flowId of wanted) {
    const flow = published.find((each) => each.flowId === flowId);
    if (!flow) continue;
    flows.set(flowId, flow);
    const theirs = needsOf(flow.definition);
    historyTokens = Math.max(historyTokens, theirs.historyTokens);
    chance ||= theirs.chance;
    for (const each of theirs.subFlows) wanted.add(each);
  }
  return { subFlows: [...wanted], historyTokens, chance, flows };
}
