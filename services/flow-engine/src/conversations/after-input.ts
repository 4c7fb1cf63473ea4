import type { ConversationsTable, InboxTable } from '../database/tables.ts';
import type { AppliedInput } from './applied-input.ts';
import { isResting } from './inputs/take-context.ts';
import type { Books } from './open-books.ts';
import type { Session, SessionMessage } from './session.ts';
import type { TakenInput } from './take-input.ts';

type Handler = Pick<ConversationsTable, 'handler' | 'handlerUntilMs'>;
type Busy = Pick<ConversationsTable, 'busyRunId' | 'busyUntilMs'>;

/** Who answers the person after an input: a flow may have handed over. */
export function handlerAfter(conversation: Handler | undefined, { handler, advanced }: TakenInput): Handler {
  for (const { advance } of advanced)
    for (const effect of advance.effects)
      if (effect.kind === 'handover') return { handler: 'person', handlerUntilMs: effect.untilMs ?? null };
  return (
    handler ?? {
      handler: conversation?.handler ?? null,
      handlerUntilMs: conversation?.handlerUntilMs ?? null,
    }
  );
}

/**
 * Whether a run now waits for a call before it answers what the person has said: what is said meanwhile is taken after that, so that
 * three messages in a row don't get three answers to the first.
 */
export function busyAfter(conversation: Busy | undefined, { advanced }: TakenInput): Busy {
  const busy = advanced.findLast(
    ({ isConversation, advance }) => isConversation && advance.state.wait?.kind === 'call',
  );
  if (busy) return { busyRunId: busy.run.id, busyUntilMs: busy.advance.state.wait?.untilMs ?? null };
  const isOver = advanced.some(({ run }) => run.id === conversation?.busyRunId);
  return isOver || !conversation
    ? { busyRunId: null, busyUntilMs: null }
    : { busyRunId: conversation.busyRunId, busyUntilMs: conversation.busyUntilMs };
}

/** Until when an event waits, at most, since an answer to the one before it is under way; undefined: it does not wait. */
export function isBusy(books: Books, row: InboxTable, nowMs: number): number | undefined {
  if (row.kind !== 'event') return undefined;
  const { busyRunId, busyUntilMs } = books.conversation(row) ?? {};
  if (busyRunId == null || busyUntilMs == null || busyUntilMs <= nowMs) return undefined;
  // It may have been cancelled meanwhile.
  const isUnderWay = books
    .waitingRuns(row)
    .some(({ id, waitKind }) => id === busyRunId && waitKind === 'call');
  return isUnderWay ? busyUntilMs : undefined;
}

/** What the flows have said, for the session. */
export function repliesOf({ advanced }: TakenInput): SessionMessage[] {
  return advanced.flatMap(({ advance }) =>
    advance.effects
      .filter((effect) => effect.kind === 'send')
      .map(({ text }): SessionMessage => ({ role: 'assistant', content: text })),
  );
}

/** The session's status (R5.1). */
export function statusAfter(
  books: Books,
  row: InboxTable,
  { outcome }: TakenInput,
  nowMs: number,
): Session['status'] {
  if (outcome === 'opted-out') return 'opted-out';
  if (isResting(books.conversation(row), nowMs)) return 'handed-over';
  return books.waitingRuns(row).length > 0 ? 'active' : 'idle';
}

/** What happened to one run of a flow. */
export interface FlowEvents {
  flowId: string;
  outcomes: ('started' | 'finished' | 'failed')[];
  /** Nodes that failed, whether their error branch was taken or not. */
  failedNodes: string[];
}

/** What happened to each run, for figures by flow. */
export function flowEventsOf({ advanced }: TakenInput): FlowEvents[] {
  return advanced.map(({ run, isStart, advance }) => ({
    flowId: run.flowId,
    outcomes: [
      ...(isStart ? (['started'] as const) : []),
      ...(advance.state.status === 'waiting' ? [] : [advance.state.status]),
    ],
    failedNodes: advance.failures.flatMap(({ node }) => node ?? []),
  }));
}

/** How runs began and ended. */
export function runsOf({ advanced, cancelled }: TakenInput): AppliedInput['runs'] {
  const runs: AppliedInput['runs'] = Array(cancelled).fill('cancelled');
  for (const { isStart, advance } of advanced) {
    if (isStart) runs.push('started');
    if (advance.state.status !== 'waiting') runs.push(advance.state.status);
  }
  return runs;
}
