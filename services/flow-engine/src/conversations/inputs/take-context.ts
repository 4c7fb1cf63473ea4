import type { Transaction } from '@switchyard/database';
import type { PublishedFlow } from '@switchyard/flows';
import type { ConversationsTable, FlowTables, InboxTable, RunsTable } from '../../database/tables.ts';
import type { ContactSnapshot } from '../../runs/effect-jobs.ts';
import type { Books } from '../open-books.ts';
import type { SessionMessage } from '../session.ts';
import type { AdvancedRun } from './advance.ts';

/**
 * What became of an input. `resting`: a person has taken over; `excluded`: another run of its group is under way; `send-failed`: a
 * message did not go out, and the run took its error branch; `send-failed-late`: it had gone on, or has none.
 */
export type InputOutcome =
  | 'answered'
  | 'started'
  | 'resumed'
  | 'unmatched'
  | 'excluded'
  | 'resting'
  | 'opted-out'
  | 'obsolete'
  | 'handler-set'
  | 'send-failed'
  | 'send-failed-late';

/** What an input did. */
export interface TakenInput {
  outcome: InputOutcome;
  /** The runs that it advanced, in the order in which it did. */
  advanced: AdvancedRun[];
  /** Runs that it ended from outside. */
  cancelled: number;
  /** Who answers the person from now on, where that changed. */
  handler?: Pick<ConversationsTable, 'handler' | 'handlerUntilMs'>;
  /** A time has come, and nobody sits and waits for what follows. */
  isBackground?: boolean;
  /** What the person said, for the session. */
  said: SessionMessage[];
  contact?: ContactSnapshot;
}

/** Where an input is taken: in a transaction, at a time. */
export interface TakeContext {
  trx: Transaction<FlowTables>;
  /** The contact's conversation and waiting runs; what changes is kept there. */
  books: Books;
  published: readonly PublishedFlow[];
  nowMs: number;
}

/** Takes inputs of one kind. */
export type TakeKind = (context: TakeContext, row: InboxTable) => Promise<TakenInput>;

/** An input that did nothing. */
export const nothing = { advanced: [], cancelled: 0, said: [] };

/** Whether a person answers the contact now, so that automation rests. */
export function isResting(conversation: ConversationsTable | undefined, nowMs: number): boolean {
  if (conversation?.handler !== 'person') return false;
  return conversation.handlerUntilMs === null || conversation.handlerUntilMs > nowMs;
}

/** Ends a run from outside. */
export function cancelRun({ books, nowMs }: TakeContext, run: RunsTable, code: string, reason: string): void {
  books.saveRun({
    ...run,
    status: 'cancelled',
    reasonCode: code,
    reason,
    waitId: null,
    waitKind: null,
    dueAtMs: null,
    heldInput: null,
    updatedAtMs: nowMs,
  });
}

/** Keeps an input for when automation is back: at the latest when the person's time is up. */
export function holdInput({ books }: TakeContext, run: RunsTable, input: object): void {
  // The first one counts; what comes after it would have met another wait.
  if (run.heldInput !== null) return;
  const dueAtMs = books.conversation(run)?.handlerUntilMs ?? null;
  books.saveRun({ ...run, heldInput: JSON.stringify(input), dueAtMs });
}
