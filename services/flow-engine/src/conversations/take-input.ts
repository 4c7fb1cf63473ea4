import type { FlowCache } from '../definitions/create-flow-cache.ts';
import { createAdvancer } from './inputs/advance.ts';
import type { TakeKind } from './inputs/take-context.ts';
import { createTakeEvent } from './inputs/take-event.ts';
import { createTakeOutcome } from './inputs/take-outcome.ts';
import { createTakeHandover, createTakeStart, createTakeTimer } from './inputs/take-wake-ups.ts';

export type { InputOutcome, TakeContext, TakenInput } from './inputs/take-context.ts';

/** Finds the runs that an input belongs to, or starts some, advances them, and keeps them in the books. */
export type TakeInput = TakeKind;

/** Makes {@link TakeInput}. */
export function createTakeInput({ flows }: { flows: FlowCache }): TakeInput {
  const advancer = createAdvancer({ flows });
  const takers = {
    event: createTakeEvent(advancer),
    start: createTakeStart(advancer),
    timer: createTakeTimer(advancer),
    handover: createTakeHandover(advancer),
    outcome: createTakeOutcome(advancer),
  };
  return (context, row) => takers[row.kind](context, row);
}
