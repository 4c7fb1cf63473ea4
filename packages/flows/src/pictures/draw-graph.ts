import type { FlowDefinition, FlowNode, FlowTrigger } from '../definitions/definition.ts';
import { edgesOf } from '../definitions/edges.ts';

/** A box of a picture. */
export interface GraphNode {
  /** Made of letters and digits, whatever the node is called. */
  id: string;
  /** `trigger`, or what the node does: a picture gives each a look of its own. */
  group: 'trigger' | 'message' | 'wait' | 'decision' | 'call' | 'contact' | 'end';
  /** The node's name, or the trigger's kind. */
  title: string;
  /** What it does, in a few words. */
  lines: string[];
}

/** An arrow of a picture. */
export interface GraphEdge {
  from: string;
  to: string;
  label: string;
  /** The way of a failure or a time-out. */
  isExceptional: boolean;
}

/** A flow as boxes and arrows. */
export interface Graph {
  title: string;
  nodes: GraphNode[];
  edges: GraphEdge[];
}

const groupByKind: Record<FlowNode['kind'], GraphNode['group']> = {
  send: 'message',
  ask: 'message',
  wait: 'wait',
  'wait-until': 'wait',
  'wait-for-event': 'wait',
  'business-hours': 'decision',
  branch: 'decision',
  'random-split': 'decision',
  'set-variable': 'contact',
  'set-attribute': 'contact',
  tag: 'contact',
  'set-consent': 'contact',
  'http-request': 'call',
  'ai-reply': 'call',
  'ai-classify': 'call',
  'ai-extract': 'call',
  transcribe: 'call',
  'shopify-lookup': 'call',
  'send-email': 'message',
  'webhook-event': 'call',
  'notify-team': 'message',
  'hand-over': 'wait',
  'sub-flow': 'call',
  loop: 'decision',
  end: 'end',
};

/** Names of edges that say no more than the arrow does. */
const silent = new Set(['next']);
const exceptional = new Set(['onError', 'onTimeout', 'onInvalid', 'onNotFound']);

/** Turns a definition into boxes and arrows. */
export function drawGraph(definition: FlowDefinition): Graph {
  const names = Object.keys(definition.nodes);
  const ids = new Map(names.map((name, index) => [name, `n${index}`]));
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  for (const [index, trigger] of definition.triggers.entries()) {
    const id = `t${index}`;
    nodes.push({ id, group: 'trigger', title: trigger.kind, lines: describeTrigger(trigger) });
    const start = ids.get(definition.start);
    if (start !== undefined) edges.push({ from: id, to: start, label: '', isExceptional: false });
  }
  for (const [name, node] of Object.entries(definition.nodes)) {
    const id = ids.get(name)!;
    nodes.push({ id, group: groupByKind[node.kind], title: name, lines: [node.kind, ...describeNode(node)] });
    // Several ways to the same node are one arrow.
    const ways = Map.groupBy(edgesOf(node), ({ to }) => to);
    for (const [to, all] of ways) {
      const target = ids.get(to);
      if (target === undefined) continue;
      const labels = all.map(({ label }) => label);
      edges.push({
        from: id,
        to: target,
        label: labels.filter((label) => !silent.has(label)).join(', '),
        isExceptional: labels.every((label) => exceptional.has(label)),
      });
    }
  }
  return { title: definition.name, nodes, edges };
}

function describeTrigger(trigger: FlowTrigger): string[] {
  switch (trigger.kind) {
    case 'keyword':
      return [trigger.words.join(', ')];
    case 'pattern':
      return [trigger.pattern];
    case 'reply':
      return trigger.ids ?? [];
    case 'shopify':
      return trigger.topics;
    case 'custom-event':
      return trigger.names;
    case 'contact-changed':
      return [trigger.change, ...(trigger.names ?? [])];
    case 'schedule':
      return [trigger.cron];
    default:
      return [];
  }
}

function describeNode(node: FlowNode): string[] {
  switch (node.kind) {
    case 'send':
    case 'ask': {
      const text = node.text ?? node.message?.type ?? '';
      return node.kind === 'ask' ? [text, `→ ${node.saveAs}`] : [text];
    }
    case 'wait':
      return [duration(node.seconds)];
    case 'wait-until':
      return [[node.weekdays?.join(' '), node.time ?? node.at].filter(Boolean).join(' ')];
    case 'wait-for-event':
      return [
        node.events.map(({ kind, names }) => (names ?? [kind]).join(', ')).join(', '),
        `at most ${duration(node.timeoutSeconds)}`,
      ];
    case 'branch':
      return node.cases.map(({ when }, index) => `case ${index + 1}: ${describeCondition(when)}`).slice(0, 4);
    case 'set-variable':
    case 'set-attribute':
      return [`${node.name} = ${node.value}`];
    case 'tag':
      return [...(node.add ?? []).map((tag) => `+ ${tag}`), ...(node.remove ?? []).map((tag) => `− ${tag}`)];
    case 'set-consent':
      return [`${node.purpose}: ${node.granted ? 'granted' : 'withdrawn'}`];
    case 'http-request':
      return [`${node.method ?? 'GET'} ${node.url}`];
    case 'shopify-lookup':
      return [`${node.resource} by ${node.by}`];
    case 'send-email':
      return [node.subject];
    case 'webhook-event':
      return [node.type];
    case 'notify-team':
      return [node.title];
    case 'sub-flow':
      return [node.flowId];
    case 'hand-over':
      return node.reason === undefined ? [] : [node.reason];
    default:
      return [];
  }
}

type BranchCondition = Extract<FlowNode, { kind: 'branch' }>['cases'][number]['when'];

function describeCondition(when: BranchCondition): string {
  if ('all' in when) return when.all.map(describeCondition).join(' and ');
  if ('any' in when) return when.any.map(describeCondition).join(' or ');
  const value = when.value === undefined ? '' : ` ${JSON.stringify(when.value)}`;
  return `${when.variable} ${when.operator}${value}`;
}

/** 5400 → `1 h 30 min`. */
function duration(seconds: number): string {
  const parts: string[] = [];
  let rest = seconds;
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}
