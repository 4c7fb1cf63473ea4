import type { CallResult, RunInput, Variables } from '@switchyard/flows';
import type { InboxTable, RunsTable } from '../../database/tables.ts';
import type { ContactSnapshot } from '../../runs/effect-jobs.ts';
import type { InboxPayloads } from '../create-inbox.ts';
import { plainVariables } from '../read-payload.ts';
import type { AdvancedRun, Advancer } from './advance.ts';
import { startFlow } from './start-flow.ts';
import {
  holdInput,
  isResting,
  nothing,
  type TakeContext,
  type TakeKind,
  type TakenInput,
} from './take-context.ts';

/** Makes what starts a flow because somebody asks for it: the API, a schedule, another flow. */
export function createTakeStart(advancer: Advancer): TakeKind {
  return async (context, row) => {
    const payload = JSON.parse(row.payload) as InboxPayloads['start'];
    const { flowId, contact, senderId, input, chainDepth } = payload;
    if (contact.optedOut) return { ...nothing, outcome: 'opted-out' };
    if (isResting(context.books.conversation(row), context.nowMs)) return { ...nothing, outcome: 'resting' };
    const flow = context.published.find((each) => each.flowId === flowId);
    if (!flow) return { ...nothing, outcome: 'unmatched' };
    const begin: Extract<RunInput, { kind: 'start' }> = {
      kind: 'start',
      atMs: context.nowMs,
      event: { type: 'start' },
      variables: flow.definition.inputs ? ((input ?? {}) as Variables) : plainVariables(input),
    };
    const parts = { contact, senderId, chainDepth, isConversation: false };
    const { advanced, cancelled } = await startFlow(advancer, context, row, flow, begin, parts);
    if (!advanced) return { ...nothing, outcome: 'excluded', cancelled };
    return { ...nothing, outcome: 'started', advanced: [advanced], cancelled, contact };
  };
}

/** Makes what wakes a run: its time has come, its call is answered, or it is tried again. */
export function createTakeTimer(advancer: Advancer): TakeKind {
  return async (context, row) => {
    const payload = JSON.parse(row.payload) as InboxPayloads['timer'];
    const run = await runOf(context, row, payload);
    if (!run) return { ...nothing, outcome: 'obsolete' };
    const input = inputOf(payload, run, context.nowMs);
    const conversation = context.books.conversation(row);
    // The person's own time-out is what ends the rest; and who retries a run means it.
    const isOwn = run.waitKind === 'handover' || payload.reason === 'retry';
    if (!isOwn && isResting(conversation, context.nowMs)) {
      holdInput(context, run, input);
      return { ...nothing, outcome: 'resting' };
    }
    const contact = JSON.parse(run.contact) as ContactSnapshot;
    const isConversation = run.waitKind === 'gather' || run.id === conversation?.busyRunId;
    const advanced = await advancer.resume(context, run, input, { contact, isConversation });
    if (!advanced) return { ...nothing, outcome: 'obsolete' };
    const isBackground = input.kind === 'timer' && !isConversation;
    return { ...nothing, outcome: 'resumed', advanced: [advanced], contact, isBackground };
  };
}

async function runOf(
  { books }: TakeContext,
  row: InboxTable,
  { runId, waitId, reason }: InboxPayloads['timer'],
): Promise<RunsTable | undefined> {
  if (reason !== 'retry')
    return books.waitingRuns(row).find(({ id, waitId: at }) => id === runId && at === waitId);
  const run = await books.endedRun(row, runId);
  return run?.status === 'failed' ? run : undefined;
}

function inputOf({ waitId, reason, result }: InboxPayloads['timer'], run: RunsTable, atMs: number): RunInput {
  if (reason === 'retry') return { kind: 'retry', atMs };
  if (result !== undefined) return { kind: 'result', atMs, waitId, result: result as CallResult };
  if (run.heldInput !== null) return { ...(JSON.parse(run.heldInput) as RunInput), atMs };
  return { kind: 'timer', atMs, waitId };
}

/** Makes what changes who answers the person. When automation is back, what was held for it goes on. */
export function createTakeHandover(advancer: Advancer): TakeKind {
  return async (context, row): Promise<TakenInput> => {
    const { handler, untilMs } = JSON.parse(row.payload) as InboxPayloads['handover'];
    const change = { handler, handlerUntilMs: handler === 'person' ? (untilMs ?? null) : null };
    if (handler === 'person') return { ...nothing, outcome: 'handler-set', handler: change };
    const advanced: AdvancedRun[] = [];
    for (const run of context.books.waitingRuns(row)) {
      const input = releasedInput(run, context.nowMs);
      if (!input) continue;
      const contact = JSON.parse(run.contact) as ContactSnapshot;
      const resumed = await advancer.resume(context, run, input, { contact, isConversation: false });
      if (resumed) advanced.push(resumed);
    }
    const contact = advanced[0]?.contact;
    return {
      ...nothing,
      outcome: 'handler-set',
      handler: change,
      advanced,
      ...(contact === undefined ? {} : { contact }),
    };
  };
}

/** What a run goes on with when the person lets go. */
function releasedInput(run: RunsTable, atMs: number): RunInput | undefined {
  if (run.waitKind === 'handover') return { kind: 'release', atMs };
  return run.heldInput === null ? undefined : { ...(JSON.parse(run.heldInput) as RunInput), atMs };
}
