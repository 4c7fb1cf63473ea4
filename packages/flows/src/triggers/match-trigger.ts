import type { FlowDefinition, FlowTrigger } from '../definitions/definition.ts';
import { evaluateCondition } from '../execution/evaluate-condition.ts';
import { matchesPattern } from '../execution/match-pattern.ts';
import type { MessageFacts } from '../execution/run-state.ts';

/** A published flow, as triggers are matched against. */
export interface PublishedFlow {
  readonly flowId: string;
  readonly version: number;
  readonly definition: FlowDefinition;
}

const plain = (text: string) => text.trim().toLowerCase();

/** How far a trigger is from taking anything: of two that match, the more specific one is meant. */
const specificity: Partial<Record<FlowTrigger['kind'], number>> = {
  reply: 5,
  'campaign-reply': 4,
  referral: 3,
  keyword: 2,
  pattern: 2,
  'first-message': 1,
  'any-message': 0,
};

/**
 * The flow that a message starts, if any: one, whatever else matches. The more specific trigger goes first (a reply's id, a campaign,
 * a referral, a keyword or pattern, the first message, any message), then the higher priority, then the older flow (the order of the
 * list), so that the choice is the same on every replica.
 *
 * @param only which flows come into question.
 */
export function matchTrigger(
  flows: readonly PublishedFlow[],
  message: MessageFacts,
  only: (flow: PublishedFlow) => boolean = () => true,
): PublishedFlow | undefined {
  let best: { flow: PublishedFlow; rank: readonly [number, number] } | undefined;
  for (const flow of flows) {
    if (!only(flow)) continue;
    const specific = Math.max(
      -1,
      ...flow.definition.triggers.map((trigger) => specificityOf(trigger, message)),
    );
    if (specific < 0) continue;
    const rank = [specific, flow.definition.priority ?? 0] as const;
    if (
      best === undefined ||
      rank[0] > best.rank[0] ||
      (rank[0] === best.rank[0] && rank[1] > best.rank[1])
    ) {
      best = { flow, rank };
    }
  }
  return best?.flow;
}

/**
 * The flows that an event starts: each one that has a matching trigger, the higher priority first, then the older. Flows of one
 * exclusion group start once.
 */
export function matchEvent(
  flows: readonly PublishedFlow[],
  event: MessageFacts,
  contact: Record<string, unknown>,
): PublishedFlow[] {
  const groups = new Set<string>();
  return flows
    .filter(({ definition }) =>
      definition.triggers.some((trigger) => isEventTriggered(trigger, event, contact)),
    )
    .toSorted((a, b) => (b.definition.priority ?? 0) - (a.definition.priority ?? 0))
    .filter(({ definition: { exclusion } }) => {
      if (exclusion === undefined) return true;
      const isFirst = !groups.has(exclusion.group);
      groups.add(exclusion.group);
      return isFirst;
    });
}

/** The flows that the end of another's run starts. */
export function matchFlowEnd(
  flows: readonly PublishedFlow[],
  ended: { flowId: string; status: 'finished' | 'failed' },
): PublishedFlow[] {
  return flows.filter(({ definition }) =>
    definition.triggers.some(
      (trigger) =>
        trigger.kind === 'flow' &&
        trigger.flowIds.includes(ended.flowId) &&
        ['any', ended.status].includes(trigger.outcome ?? 'finished'),
    ),
  );
}

/** -1: does not match; else the higher, the more specific. */
function specificityOf(trigger: FlowTrigger, message: MessageFacts): number {
  return isMessageTriggered(trigger, message) ? (specificity[trigger.kind] ?? -1) : -1;
}

function isMessageTriggered(trigger: FlowTrigger, message: MessageFacts): boolean {
  switch (trigger.kind) {
    case 'any-message':
      return true;
    case 'first-message':
      return message.isFirst === true;
    case 'keyword':
      return message.text !== undefined && saysWord(trigger, plain(message.text));
    case 'pattern':
      return message.text !== undefined && matchesPattern(trigger.pattern, message.text);
    case 'reply': {
      const { replyId } = message;
      if (replyId === undefined) return false;
      if (trigger.ids === undefined) return true;
      return trigger.ids.some((id) =>
        trigger.match === 'starts-with' ? replyId.startsWith(id) : replyId === id,
      );
    }
    case 'referral': {
      if (typeof message.referral !== 'object' || message.referral === null) return false;
      const { source_id: source } = message.referral as { source_id?: unknown };
      return trigger.sourceIds === undefined || trigger.sourceIds.includes(String(source));
    }
    case 'campaign-reply':
      return (
        message.campaignId !== undefined &&
        (trigger.campaignIds === undefined || trigger.campaignIds.includes(message.campaignId))
      );
    default:
      return false;
  }
}

function saysWord({ words, match }: Extract<FlowTrigger, { kind: 'keyword' }>, said: string): boolean {
  return words.some((word) => {
    const wanted = plain(word);
    if (match === 'contains') return said.includes(wanted);
    if (match === 'starts-with') return said.startsWith(wanted);
    return said === wanted;
  });
}

function isEventTriggered(
  trigger: FlowTrigger,
  event: MessageFacts,
  contact: Record<string, unknown>,
): boolean {
  const { name = '' } = event;
  const holds = (where: Parameters<typeof evaluateCondition>[0] | undefined) =>
    where === undefined || evaluateCondition(where, { contact, variables: {}, event: { ...event } });
  switch (trigger.kind) {
    case 'shopify':
      return event.type === 'shopify' && trigger.topics.includes(name) && holds(trigger.where);
    case 'custom-event':
      return event.type === 'custom' && trigger.names.includes(name) && holds(trigger.where);
    case 'contact-changed': {
      const changes = {
        'tag-added': 'contact.tag_added',
        'tag-removed': 'contact.tag_removed',
        'attribute-changed': 'contact.attribute_changed',
      };
      if (event.type !== 'contact' || name !== changes[trigger.change]) return false;
      const { tag, name: attribute } = (event.body ?? {}) as { tag?: string; name?: string };
      const changed = trigger.change === 'attribute-changed' ? attribute : tag;
      return (trigger.names?.includes(changed ?? '') ?? true) && holds(trigger.where);
    }
    default:
      return false;
  }
}
