import type { Transaction } from '@switchyard/database';
import type { FlowDefinition, RunInput, RunState } from '@switchyard/flows';
import { type Advance, advanceRun, freshRun, matchTrigger, type PublishedFlow } from '@switchyard/flows';
import { createId } from '@switchyard/runtime';
import type { ConversationsTable, FlowTables, InboxTable, RunsTable } from '../database/tables.ts';
import type { FlowCache } from '../definitions/create-flow-cache.ts';
import type { ContactSnapshot, RunIdentity } from '../runs/effect-jobs.ts';
import { columnsOf, journalLine } from '../runs/run-writer.ts';
import type { InboxPayloads } from './create-inbox.ts';
import type { Books } from './open-books.ts';
import { factsOf, plainVariables, toSessionMessage } from './read-payload.ts';
import type { SessionMessage } from './session.ts';

/** What became of an input. */
export type InputOutcome =
  | 'answered'
  | 'started'
  | 'resumed'
  | 'unmatched'
  | 'ignored'
  | 'opted-out'
  | 'obsolete'
  | 'handler-set';

/** What an input did. */
export interface TakenInput {
  outcome: InputOutcome;
  /** The run that it advanced. */
  advanced?: { run: RunIdentity; definition: FlowDefinition; advance: Advance; contact: ContactSnapshot };
  /** Runs that it ended from outside. */
  cancelled: number;
  /** Who answers the person from now on, where that changed. */
  handler?: Pick<ConversationsTable, 'handler' | 'handlerUntilMs'>;
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

/** Finds the run that an input belongs to, or starts one, advances it, and keeps both in the books. */
export type TakeInput = (context: TakeContext, row: InboxTable) => Promise<TakenInput>;

const nothing = { cancelled: 0, said: [] };

/** Makes {@link TakeInput}. */
export function createTakeInput({ flows }: { flows: FlowCache }): TakeInput {
  async function resume(
    { trx, books, nowMs }: TakeContext,
    run: RunsTable,
    input: RunInput,
    contact: ContactSnapshot,
  ): Promise<NonNullable<TakenInput['advanced']>> {
    const state = JSON.parse(run.state) as RunState;
    const definition = await flows.version(trx, run.flowId, run.flowVersion);
    const advance = definition
      ? advanceRun(definition, state, input, { ...contact })
      : failed(state, 'VERSION_MISSING', `version ${run.flowVersion} of the flow is gone`);
    const inputs = run.inputs + 1;
    books.saveRun({ ...run, ...columnsOf(advance, nowMs), contact: JSON.stringify(contact), inputs });
    books.addJournal(journalLine({ run, input, contact, advance }));
    return {
      run,
      definition: definition ?? { name: run.flowId, triggers: [], start: '', nodes: {} },
      advance,
      contact,
    };
  }

  function start(
    { books, nowMs }: TakeContext,
    { merchantId, contactId }: InboxTable,
    flow: PublishedFlow,
    input: RunInput,
    contact: ContactSnapshot,
    senderId: string | undefined,
  ): NonNullable<TakenInput['advanced']> {
    const advance = advanceRun(flow.definition, freshRun, input, { ...contact });
    const run: RunIdentity = {
      id: createId('run', nowMs),
      merchantId,
      contactId,
      flowId: flow.flowId,
      flowVersion: flow.version,
      senderId: senderId ?? null,
    };
    books.saveRun({
      ...run,
      ...columnsOf(advance, nowMs),
      contact: JSON.stringify(contact),
      inputs: 1,
      createdAtMs: nowMs,
    });
    books.addJournal(journalLine({ run: { id: run.id, inputs: 0 }, input, contact, advance }));
    return { run, definition: flow.definition, advance, contact };
  }

  function cancelAll({ books, nowMs }: TakeContext, row: InboxTable): number {
    const waiting = books.waitingRuns(row);
    for (const run of waiting)
      books.saveRun({
        ...run,
        status: 'cancelled',
        reasonCode: 'OPTED_OUT',
        reason: 'the person wants no more messages',
        waitId: null,
        waitKind: null,
        dueAtMs: null,
        updatedAtMs: nowMs,
      });
    return waiting.length;
  }

  async function takeEvent(context: TakeContext, row: InboxTable): Promise<TakenInput> {
    const { books, published, nowMs } = context;
    const payload = JSON.parse(row.payload) as InboxPayloads['event'];
    const { contact, content, senderId } = payload;
    const said = content === undefined ? [] : [toSessionMessage(content)];
    if (contact.optedOut) return { outcome: 'opted-out', cancelled: cancelAll(context, row), said, contact };
    if (payload.kind !== 'message' || !content) return { ...nothing, outcome: 'ignored' };
    const event = factsOf(content);
    // Of several questions the newest is the one that a person answers.
    const asked = books.waitingRuns(row).find(({ waitKind }) => waitKind === 'answer');
    if (asked) {
      const advanced = await resume(context, asked, { kind: 'message', atMs: nowMs, event }, contact);
      return { outcome: 'answered', advanced, cancelled: 0, said, contact };
    }
    const flow = matchTrigger(published, event);
    if (!flow) return { outcome: 'unmatched', cancelled: 0, said, contact };
    const advanced = start(context, row, flow, { kind: 'start', atMs: nowMs, event }, contact, senderId);
    return { outcome: 'started', advanced, cancelled: 0, said, contact };
  }

  async function takeStart(context: TakeContext, row: InboxTable): Promise<TakenInput> {
    const { published, nowMs } = context;
    const { flowId, contact, senderId, input } = JSON.parse(row.payload) as InboxPayloads['start'];
    if (contact.optedOut) return { ...nothing, outcome: 'opted-out' };
    const flow = published.find((each) => each.flowId === flowId);
    if (!flow) return { ...nothing, outcome: 'unmatched' };
    const begin: RunInput = {
      kind: 'start',
      atMs: nowMs,
      event: { type: 'start' },
      variables: plainVariables(input),
    };
    return {
      ...nothing,
      outcome: 'started',
      advanced: start(context, row, flow, begin, contact, senderId),
      contact,
    };
  }

  async function takeTimer(context: TakeContext, row: InboxTable): Promise<TakenInput> {
    const { books, nowMs } = context;
    const { runId, waitId } = JSON.parse(row.payload) as InboxPayloads['timer'];
    const run = books.waitingRuns(row).find((each) => each.id === runId && each.waitId === waitId);
    if (!run) return { ...nothing, outcome: 'obsolete' };
    const contact = JSON.parse(run.contact) as ContactSnapshot;
    const advanced = await resume(context, run, { kind: 'timer', atMs: nowMs, waitId }, contact);
    return { ...nothing, outcome: 'resumed', advanced, contact };
  }

  async function takeHandover(row: InboxTable): Promise<TakenInput> {
    const { handler, untilMs } = JSON.parse(row.payload) as InboxPayloads['handover'];
    return {
      ...nothing,
      outcome: 'handler-set',
      handler: { handler, handlerUntilMs: handler === 'person' ? (untilMs ?? null) : null },
    };
  }

  return (context, row) => {
    switch (row.kind) {
      case 'event':
        return takeEvent(context, row);
      case 'start':
        return takeStart(context, row);
      case 'timer':
        return takeTimer(context, row);
      case 'handover':
        return takeHandover(row);
    }
  };
}

function failed(state: RunState, code: string, message: string): Advance {
  const { wait: _, ...rest } = state;
  return { state: { ...rest, status: 'failed', failure: { code, message } }, steps: [], effects: [] };
}
