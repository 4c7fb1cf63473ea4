import { randomBytes } from 'node:crypto';
import {
  type Advance,
  advanceRun,
  cutHistory,
  defaultLimits,
  type FlowDefinition,
  freshRun,
  limitsOf,
  type PublishedFlow,
  type RunInput,
  type RunState,
} from '@switchyard/flows';
import { createId } from '@switchyard/runtime';
import type { RunsTable } from '../../database/tables.ts';
import type { FlowCache } from '../../definitions/create-flow-cache.ts';
import { allNeedsOf } from '../../definitions/flow-needs.ts';
import type { ContactSnapshot, RunIdentity } from '../../runs/effect-jobs.ts';
import { columnsOf, journalLine } from '../../runs/run-writer.ts';
import type { ContactKey } from '../create-inbox.ts';
import { toHistory } from '../read-payload.ts';
import { continueHistory, type SessionMessage } from '../session.ts';
import type { TakeContext } from './take-context.ts';

/** A run that an input has advanced. */
export interface AdvancedRun {
  run: RunIdentity & { chainDepth: number | null };
  definition: FlowDefinition;
  advance: Advance;
  contact: ContactSnapshot;
  isStart: boolean;
  /** The person is waiting for what comes of it. */
  isConversation: boolean;
  /** Steps whose message has an error branch to take if it does not go out. */
  watched: ReadonlySet<number>;
}

/** Who starts a flow, and how. */
export interface StartParts {
  contact: ContactSnapshot;
  senderId?: string | undefined;
  chainDepth?: number | undefined;
  /** What the person has said with this input. */
  said?: readonly SessionMessage[];
  isConversation: boolean;
}

/** Advances runs, and keeps what becomes of them in the books. */
export interface Advancer {
  start(
    context: TakeContext,
    contact: ContactKey,
    flow: PublishedFlow,
    input: Extract<RunInput, { kind: 'start' }>,
    parts: StartParts,
  ): Promise<AdvancedRun>;
  /** @returns undefined when the run does not wait for this: nothing is kept then. */
  resume(
    context: TakeContext,
    run: RunsTable,
    input: RunInput,
    parts: { contact: ContactSnapshot; said?: readonly SessionMessage[]; isConversation: boolean },
  ): Promise<AdvancedRun | undefined>;
}

/** Makes the advancer. */
export function createAdvancer({ flows }: { flows: FlowCache }): Advancer {
  /** The input with what else the flow needs of the outside, and the definitions that it may go into. */
  async function equip(
    { trx, books, published, nowMs }: TakeContext,
    contact: ContactKey,
    definition: FlowDefinition,
    state: RunState,
    input: RunInput,
    said: readonly SessionMessage[],
  ) {
    const definitions = new Map<string, FlowDefinition>();
    // A run stays on the versions that it has entered.
    for (const { flow } of [state, ...(state.callers ?? [])]) {
      const entered = flow && (await flows.version(trx, flow.id, flow.version));
      if (entered) definitions.set(`${flow.id} ${flow.version}`, entered);
    }
    const needs = allNeedsOf([definition, ...definitions.values()], published);
    for (const { flowId, version, definition: each } of needs.flows.values())
      definitions.set(`${flowId} ${version}`, each);
    const equipped: RunInput = {
      ...input,
      ...(needs.flows.size === 0
        ? {}
        : { flows: Object.fromEntries([...needs.flows].map(([id, { version }]) => [id, version])) }),
      ...(needs.historyTokens === 0
        ? {}
        : {
            history: cutHistory(
              toHistory(historyOf(books.conversation(contact), said, nowMs)),
              needs.historyTokens,
            ),
          }),
      ...(input.kind === 'start' && needs.chance ? { seed: randomBytes(12).toString('base64url') } : {}),
    };
    return {
      input: equipped,
      flowOf: (id: string, version: number) => definitions.get(`${id} ${version}`),
      definitions,
    };
  }

  return {
    async start(context, key, flow, begin, { contact, senderId, chainDepth, said = [], isConversation }) {
      const { books, nowMs } = context;
      const { definition } = flow;
      const { input, flowOf, definitions } = await equip(context, key, definition, freshRun, begin, said);
      const advance = advanceRun(definition, freshRun, input, { ...contact }, { flowOf });
      const run = {
        id: createId('run', nowMs),
        merchantId: key.merchantId,
        contactId: key.contactId,
        flowId: flow.flowId,
        flowVersion: flow.version,
        senderId: senderId ?? null,
        chainDepth: chainDepth || null,
      };
      books.saveRun({
        ...run,
        ...columnsOf(advance, limitsOf(definition), nowMs),
        exclusionGroup: definition.exclusion?.group ?? null,
        contact: JSON.stringify(contact),
        inputs: 1,
        createdAtMs: nowMs,
      });
      books.addJournal(journalLine({ run: { id: run.id, inputs: 0 }, input, contact, advance }));
      const watched = watchedSteps(advance, definition, definitions);
      return { run, definition, advance, contact, isStart: true, isConversation, watched };
    },
    async resume(context, run, begin, { contact, said = [], isConversation }) {
      const { trx, books, nowMs } = context;
      const state = JSON.parse(run.state) as RunState;
      const definition = await flows.version(trx, run.flowId, run.flowVersion);
      let advance: Advance;
      let input = begin;
      let watched: ReadonlySet<number> = new Set();
      if (definition) {
        const equipped = await equip(context, run, definition, state, begin, said);
        input = equipped.input;
        advance = advanceRun(definition, state, input, { ...contact }, { flowOf: equipped.flowOf });
        if (advance.state === state) return undefined;
        watched = watchedSteps(advance, definition, equipped.definitions);
      } else advance = failed(state, 'VERSION_MISSING', `version ${run.flowVersion} of the flow is gone`);
      books.saveRun({
        ...run,
        ...columnsOf(advance, definition ? limitsOf(definition) : defaultLimits, nowMs),
        contact: JSON.stringify(contact),
        inputs: run.inputs + 1,
      });
      books.addJournal(journalLine({ run, input, contact, advance }));
      return {
        run,
        definition: definition ?? { name: run.flowId, triggers: [], start: '', nodes: {} },
        advance,
        contact,
        isStart: false,
        isConversation,
        watched,
      };
    },
  };
}

/** The steps that asked for a message and name an error branch. */
function watchedSteps(
  { steps, effects }: Advance,
  definition: FlowDefinition,
  others: ReadonlyMap<string, FlowDefinition>,
): Set<number> {
  const sends = new Set(effects.filter(({ kind }) => kind === 'send').map(({ step }) => step));
  const watched = steps.filter(({ number, node, flow }) => {
    if (!sends.has(number)) return false;
    const own = flow === undefined ? [definition] : [];
    const called = [...others].filter(([name]) => name.startsWith(`${flow} `)).map(([, each]) => each);
    return [...own, ...called].some(({ nodes }) => {
      const found = nodes[node];
      return found !== undefined && 'onError' in found && found.onError !== undefined;
    });
  });
  return new Set(watched.map(({ number }) => number));
}

function historyOf(
  conversation: { session: string; sessionUpdatedAtMs: number } | undefined,
  said: readonly SessionMessage[],
  nowMs: number,
): SessionMessage[] {
  const history = conversation && {
    messages: conversation.session,
    updatedAtMs: conversation.sessionUpdatedAtMs,
  };
  return continueHistory(history, said, nowMs);
}

function failed(state: RunState, code: string, message: string): Advance {
  const { wait: _, ...rest } = state;
  return {
    state: { ...rest, status: 'failed', failure: { code, message } },
    steps: [],
    effects: [],
    failures: [{ code, message }],
  };
}
