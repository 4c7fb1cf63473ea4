import type { RunInput, Step } from '@switchyard/flows';
import type { ContactSnapshot } from '../../runs/effect-jobs.ts';
import type { InboxPayloads } from '../create-inbox.ts';
import type { Advancer } from './advance.ts';
import { isResting, nothing, type TakeKind } from './take-context.ts';

/**
 * Makes what takes word of a message that did not go out: the run that asked for it takes the node's error branch, if it still is at
 * the wait after it. A run that has gone on meanwhile is not turned back; the word is kept with its messages all the same.
 */
export function createTakeOutcome(advancer: Advancer): TakeKind {
  return async (context, row) => {
    const { runId, stepId, outcome, reason } = JSON.parse(row.payload) as InboxPayloads['outcome'];
    const late = { ...nothing, outcome: 'send-failed-late' as const };
    const run = context.books.waitingRuns(row).find(({ id }) => id === runId);
    if (!run || outcome === 'accepted' || isResting(context.books.conversation(row), context.nowMs))
      return late;
    const line = await context.trx
      .selectFrom('runJournal')
      .select('steps')
      .where('runId', '=', runId)
      .where('number', '=', run.inputs)
      .executeTakeFirst();
    const steps = JSON.parse(line?.steps ?? '[]') as Step[];
    const step = steps.find(({ number }) => String(number) === stepId);
    if (!step) return late;
    const input: RunInput = {
      kind: 'outcome',
      atMs: context.nowMs,
      node: step.node,
      outcome,
      ...(reason === undefined ? {} : { reason: reason.slice(0, 500) }),
    };
    const contact = JSON.parse(run.contact) as ContactSnapshot;
    const isConversation = run.waitKind === 'answer' || run.waitKind === 'gather';
    const advanced = await advancer.resume(context, run, input, { contact, isConversation });
    if (!advanced) return late;
    return { ...nothing, outcome: 'send-failed', advanced: [advanced], contact };
  };
}
