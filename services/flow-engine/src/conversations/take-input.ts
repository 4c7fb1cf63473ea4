import type { DialectName, Transaction } from '@switchyard/database';
import type { FlowDefinition, RunInput, RunState } from '@switchyard/flows';
import { type Advance, advanceRun, freshRun, matchTrigger, type PublishedFlow } from '@switchyard/flows';
import { createId } from '@switchyard/runtime';
import type { ConversationsTable, FlowTables, InboxTable, RunsTable } from '../database/tables.ts';
import type { FlowCache } from '../definitions/create-flow-cache.ts';
import type { ContactSnapshot, RunIdentity } from '../runs/effect-jobs.ts';
import { columnsOf, writeJournal } from '../runs/run-writer.ts';
import type { InboxPayloads } from './create-inbox.ts';
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

/** Finds the run that an input belongs to, or starts one, advances it, and writes both down. */
export type TakeInput = (
  trx: Transaction<FlowTables>,
  row: InboxTable,
  published: readonly PublishedFlow[],
  nowMs: number,
) => Promise<TakenInput>;

const nothing = { cancelled: 0, said: [] };

/** Makes {@link TakeInput}. */
export function createTakeInput(deps: { flows: FlowCache; dialect: DialectName }): TakeInput {
  const { flows, dialect } = deps;

  /** Kept for the transaction: somebody may cancel the run through the API meanwhile. */
  const waitingRuns = (trx: Transaction<FlowTables>, { merchantId, contactId }: InboxTable) =>
    trx
      .selectFrom('runs')
      .selectAll()
      .where('contactId', '=', contactId)
      .where('merchantId', '=', merchantId)
      .where('status', '=', 'waiting')
      .$if(dialect === 'mysql', (query) => query.forUpdate());

  async function resume(
    trx: Transaction<FlowTables>,
    run: RunsTable,
    input: RunInput,
    contact: ContactSnapshot,
    nowMs: number,
  ): Promise<NonNullable<TakenInput['advanced']>> {
    const state = JSON.parse(run.state) as RunState;
    const definition = await flows.version(trx, run.flowId, run.flowVersion);
    const advance = definition
      ? advanceRun(definition, state, input, { ...contact })
      : failed(state, 'VERSION_MISSING', `version ${run.flowVersion} of the flow is gone`);
    await trx
      .updateTable('runs')
      .set({ ...columnsOf(advance, nowMs), contact: JSON.stringify(contact), inputs: run.inputs + 1 })
      .where('id', '=', run.id)
      .execute();
    await writeJournal(trx, { run, input, contact, advance });
    return {
      run,
      definition: definition ?? { name: run.flowId, triggers: [], start: '', nodes: {} },
      advance,
      contact,
    };
  }

  async function start(
    trx: Transaction<FlowTables>,
    { merchantId, contactId }: InboxTable,
    flow: PublishedFlow,
    input: RunInput,
    contact: ContactSnapshot,
    senderId: string | undefined,
    nowMs: number,
  ): Promise<NonNullable<TakenInput['advanced']>> {
    const advance = advanceRun(flow.definition, freshRun, input, { ...contact });
    const run: RunIdentity = {
      id: createId('run', nowMs),
      merchantId,
      contactId,
      flowId: flow.flowId,
      flowVersion: flow.version,
      senderId: senderId ?? null,
    };
    await trx
      .insertInto('runs')
      .values({
        ...run,
        ...columnsOf(advance, nowMs),
        contact: JSON.stringify(contact),
        inputs: 1,
        createdAtMs: nowMs,
      })
      .execute();
    await writeJournal(trx, { run: { id: run.id, inputs: 0 }, input, contact, advance });
    return { run, definition: flow.definition, advance, contact };
  }

  async function cancelAll(
    trx: Transaction<FlowTables>,
    { merchantId, contactId }: InboxTable,
    nowMs: number,
  ): Promise<number> {
    const { numUpdatedRows } = await trx
      .updateTable('runs')
      .set({
        status: 'cancelled',
        reasonCode: 'OPTED_OUT',
        reason: 'the person wants no more messages',
        waitId: null,
        waitKind: null,
        dueAtMs: null,
        updatedAtMs: nowMs,
      })
      .where('contactId', '=', contactId)
      .where('merchantId', '=', merchantId)
      .where('status', '=', 'waiting')
      .executeTakeFirst();
    return Number(numUpdatedRows);
  }

  async function takeEvent(
    trx: Transaction<FlowTables>,
    row: InboxTable,
    published: readonly PublishedFlow[],
    nowMs: number,
  ): Promise<TakenInput> {
    const payload = JSON.parse(row.payload) as InboxPayloads['event'];
    const { contact, content, senderId } = payload;
    const said = content === undefined ? [] : [toSessionMessage(content)];
    if (contact.optedOut)
      return { outcome: 'opted-out', cancelled: await cancelAll(trx, row, nowMs), said, contact };
    if (payload.kind !== 'message' || !content) return { ...nothing, outcome: 'ignored' };
    const event = factsOf(content);
    // Of several questions the newest is the one that a person answers.
    const asked = await waitingRuns(trx, row)
      .where('waitKind', '=', 'answer')
      .orderBy('updatedAtMs', 'desc')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (asked) {
      const advanced = await resume(trx, asked, { kind: 'message', atMs: nowMs, event }, contact, nowMs);
      return { outcome: 'answered', advanced, cancelled: 0, said, contact };
    }
    const flow = matchTrigger(published, event);
    if (!flow) return { outcome: 'unmatched', cancelled: 0, said, contact };
    const advanced = await start(
      trx,
      row,
      flow,
      { kind: 'start', atMs: nowMs, event },
      contact,
      senderId,
      nowMs,
    );
    return { outcome: 'started', advanced, cancelled: 0, said, contact };
  }

  async function takeStart(
    trx: Transaction<FlowTables>,
    row: InboxTable,
    published: readonly PublishedFlow[],
    nowMs: number,
  ): Promise<TakenInput> {
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
      advanced: await start(trx, row, flow, begin, contact, senderId, nowMs),
      contact,
    };
  }

  async function takeTimer(
    trx: Transaction<FlowTables>,
    row: InboxTable,
    nowMs: number,
  ): Promise<TakenInput> {
    const { runId, waitId } = JSON.parse(row.payload) as InboxPayloads['timer'];
    const run = await waitingRuns(trx, row)
      .where('id', '=', runId)
      .where('waitId', '=', waitId)
      .executeTakeFirst();
    if (!run) return { ...nothing, outcome: 'obsolete' };
    const contact = JSON.parse(run.contact) as ContactSnapshot;
    const advanced = await resume(trx, run, { kind: 'timer', atMs: nowMs, waitId }, contact, nowMs);
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

  return (trx, row, published, nowMs) => {
    switch (row.kind) {
      case 'event':
        return takeEvent(trx, row, published, nowMs);
      case 'start':
        return takeStart(trx, row, published, nowMs);
      case 'timer':
        return takeTimer(trx, row, nowMs);
      case 'handover':
        return takeHandover(row);
    }
  };
}

function failed(state: RunState, code: string, message: string): Advance {
  const { wait: _, ...rest } = state;
  return { state: { ...rest, status: 'failed', failure: { code, message } }, steps: [], effects: [] };
}
