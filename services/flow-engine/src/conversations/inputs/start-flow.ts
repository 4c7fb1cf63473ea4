import type { PublishedFlow, RunInput } from '@switchyard/flows';
import type { ContactKey } from '../create-inbox.ts';
import type { AdvancedRun, Advancer, StartParts } from './advance.ts';
import { cancelRun, type TakeContext } from './take-context.ts';

/** Flows that set each other off: beyond so many, the next one is not started. */
export const CHAIN_MOST = 5;

/** A flow that was to start. */
export interface Started {
  /** Undefined: another run of its group is under way, or the chain is too long. */
  advanced?: AdvancedRun;
  cancelled: number;
}

/** Starts a flow, as its exclusion allows. */
export async function startFlow(
  advancer: Advancer,
  context: TakeContext,
  contact: ContactKey,
  flow: PublishedFlow,
  input: Extract<RunInput, { kind: 'start' }>,
  parts: StartParts,
): Promise<Started> {
  if ((parts.chainDepth ?? 0) > CHAIN_MOST) return { cancelled: 0 };
  const { exclusion } = flow.definition;
  let cancelled = 0;
  if (exclusion) {
    const others = context.books
      .waitingRuns(contact)
      .filter(({ exclusionGroup }) => exclusionGroup === exclusion.group);
    if (others.length > 0 && exclusion.policy !== 'replace') return { cancelled: 0 };
    for (const run of others) cancelRun(context, run, 'REPLACED', `replaced by a run of ${flow.flowId}`);
    cancelled = others.length;
  }
  return { advanced: await advancer.start(context, contact, flow, input, parts), cancelled };
}
