import { type MessageFacts, matchEvent, matchTrigger, type RunInput } from '@switchyard/flows';
import type { InboxTable, RunsTable } from '../../database/tables.ts';
import type { ContactSnapshot } from '../../runs/effect-jobs.ts';
import type { InboxPayloads } from '../create-inbox.ts';
import { factsOf, toSessionMessage } from '../read-payload.ts';
import type { AdvancedRun, Advancer } from './advance.ts';
import { startFlow } from './start-flow.ts';
import {
  cancelRun,
  holdInput,
  isResting,
  nothing,
  type TakeContext,
  type TakeKind,
  type TakenInput,
} from './take-context.ts';

type Event = InboxPayloads['event'];

/** What taking an event has to go by. */
interface Taking {
  row: InboxTable;
  payload: Event;
  event: MessageFacts;
  contact: ContactSnapshot;
  said: TakenInput['said'];
}

/**
 * Makes what takes events: runs that wait for it go on; of a message, one question takes it for its answer, or else one flow starts; of
 * any other event, every flow whose trigger matches.
 */
export function createTakeEvent(advancer: Advancer): TakeKind {
  /** Runs that wait for such an event, wherever it goes besides. */
  async function resumeAwaiting(context: TakeContext, taking: Taking): Promise<AdvancedRun[]> {
    const { row, event, contact, said } = taking;
    const input: RunInput = { kind: 'event', atMs: context.nowMs, event };
    const advanced: AdvancedRun[] = [];
    for (const run of context.books.waitingRuns(row)) {
      if (run.waitKind !== 'event') continue;
      const parts = { contact, said, isConversation: taking.payload.kind === 'message' };
      const resumed = await advancer.resume(context, run, input, parts);
      if (resumed) advanced.push(resumed);
    }
    return advanced;
  }

  async function takeMessage(context: TakeContext, taking: Taking): Promise<TakenInput> {
    const { row, payload, event, contact, said } = taking;
    const { books, published, nowMs } = context;
    // Before anything goes on: the message answers no question that is asked because of it. Of several the newest is answered.
    const asked = books.waitingRuns(row).find(isAsking);
    const advanced = await resumeAwaiting(context, taking);
    const { senderId } = payload;
    const start: RunInput = { kind: 'start', atMs: nowMs, event };
    const parts = { contact, senderId, said, isConversation: true };

    const interrupting = matchTrigger(published, event, ({ definition }) => definition.interrupts === true);
    if (asked && !interrupting) {
      const input: RunInput = { kind: 'message', atMs: nowMs, event };
      const answered = await advancer.resume(context, asked, input, { contact, said, isConversation: true });
      if (answered) advanced.push(answered);
      return { outcome: 'answered', advanced, cancelled: 0, said, contact };
    }
    const flow = interrupting ?? matchTrigger(published, event);
    if (!flow)
      return {
        outcome: advanced.length > 0 ? 'resumed' : 'unmatched',
        advanced,
        cancelled: 0,
        said,
        contact,
      };
    let cancelled = 0;
    if (asked) {
      cancelRun(context, asked, 'INTERRUPTED', `interrupted by ${flow.flowId}`);
      cancelled += 1;
    }
    const started = await startFlow(advancer, context, row, flow, start, parts);
    cancelled += started.cancelled;
    if (!started.advanced) return { outcome: 'excluded', advanced, cancelled, said, contact };
    return { outcome: 'started', advanced: [...advanced, started.advanced], cancelled, said, contact };
  }

  async function takeOther(context: TakeContext, taking: Taking): Promise<TakenInput> {
    const { row, payload, event, contact } = taking;
    const advanced = await resumeAwaiting(context, taking);
    const origin = payload.origin && (await originOf(context, payload.merchantId, payload.origin.runId));
    const matching = matchEvent(context.published, event, { ...contact })
      // What a flow has changed itself does not set it off.
      .filter(({ flowId }) => flowId !== origin?.flowId);
    let cancelled = 0;
    let isStarted = false;
    for (const flow of matching) {
      const started = await startFlow(
        advancer,
        context,
        row,
        flow,
        { kind: 'start', atMs: context.nowMs, event },
        {
          contact,
          senderId: payload.senderId,
          chainDepth: origin && (origin.chainDepth ?? 0) + 1,
          isConversation: false,
        },
      );
      cancelled += started.cancelled;
      if (!started.advanced) continue;
      isStarted = true;
      advanced.push(started.advanced);
    }
    const otherwise = advanced.length > 0 ? 'resumed' : matching.length > 0 ? 'excluded' : 'unmatched';
    return { ...nothing, outcome: isStarted ? 'started' : otherwise, advanced, cancelled, contact };
  }

  return async (context, row) => {
    const payload = JSON.parse(row.payload) as Event;
    const { contact, content } = payload;
    const isMessage = payload.kind === 'message' && content !== undefined;
    const said = isMessage ? [toSessionMessage(content)] : [];
    const waiting = context.books.waitingRuns(row);
    if (contact.optedOut) {
      for (const run of waiting) cancelRun(context, run, 'OPTED_OUT', 'the person wants no more messages');
      return { outcome: 'opted-out', advanced: [], cancelled: waiting.length, said, contact };
    }
    if (payload.kind === 'message' && !isMessage) return { ...nothing, outcome: 'unmatched' };
    const taking = { row, payload, event: factsOf(payload), contact, said };
    if (payload.handler === 'person' || isResting(context.books.conversation(row), context.nowMs)) {
      // An order that comes meanwhile must still stop the reminder.
      for (const run of waiting)
        if (run.waitKind === 'event')
          holdInput(context, run, { kind: 'event', atMs: context.nowMs, event: taking.event });
      return { ...nothing, outcome: 'resting', said, contact };
    }
    return isMessage ? takeMessage(context, taking) : takeOther(context, taking);
  };
}

function isAsking({ waitKind }: RunsTable): boolean {
  return waitKind === 'answer' || waitKind === 'gather';
}

/** The run that made the change which an event tells of. */
function originOf({ trx }: TakeContext, merchantId: string, runId: string) {
  return trx
    .selectFrom('runs')
    .select(['flowId', 'chainDepth'])
    .where('id', '=', runId)
    .where('merchantId', '=', merchantId)
    .executeTakeFirst();
}
