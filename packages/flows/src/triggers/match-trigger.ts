import type { FlowDefinition } from '../definitions/definition.ts';
import type { MessageFacts } from '../execution/run-state.ts';

/** A published flow, as triggers are matched against. */
export interface PublishedFlow {
  readonly flowId: string;
  readonly version: number;
  readonly definition: FlowDefinition;
}

const plain = (text: string) => text.trim().toLowerCase();

/**
 * The flow that a message starts, if any. A keyword goes before "any message", then the higher priority, then the older flow
 * (the order of the list), so that the choice is the same on every replica.
 */
export function matchTrigger(
  flows: readonly PublishedFlow[],
  message: MessageFacts,
): PublishedFlow | undefined {
  let best: { flow: PublishedFlow; rank: readonly [number, number] } | undefined;
  for (const flow of flows) {
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

/** -1: does not match; 0: takes anything; 1: a keyword. */
function specificityOf(trigger: FlowDefinition['triggers'][number], message: MessageFacts): number {
  if (trigger.kind === 'any-message') return 0;
  if (message.text === undefined) return -1;
  const said = plain(message.text);
  const hit = trigger.words.some((word) => {
    const wanted = plain(word);
    if (trigger.match === 'contains') return said.includes(wanted);
    if (trigger.match === 'starts-with') return said.startsWith(wanted);
    return said === wanted;
  });
  return hit ? 1 : -1;
}
