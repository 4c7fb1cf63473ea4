import { NodeError, type RunState, takeInputs, type Variables } from '@switchyard/flows';
import type { Outbox } from '@switchyard/outbox';
import { createId } from '@switchyard/runtime';
import type { FlowTables } from '../database/tables.ts';
import type { FlowStore } from '../definitions/create-flow-store.ts';
import { flowNotStartable, runInputInvalid, runNotRetryable, runTargetInvalid } from '../errors.ts';
import type { RunStore } from './create-run-store.ts';

/** For whom a flow is to be started: one contact, an address, or everybody with a tag. */
export interface RunRequest {
  flowId: string;
  contactId?: string | undefined;
  to?: string | undefined;
  tag?: string | undefined;
  input?: Record<string, unknown> | undefined;
  senderId?: string | undefined;
  /** The same is the same request, however often it comes. */
  startId?: string | undefined;
}

/** Begins and repeats runs for the API. */
export interface RunStarter {
  /**
   * Asks for runs; campaign-sender knows the contacts and answers with a start for each.
   *
   * @returns the id that the runs are started under.
   * @throws FLOW_UNKNOWN, FLOW_NOT_STARTABLE, RUN_INPUT_INVALID, RUN_TARGET_INVALID
   */
  request(merchantId: string, request: RunRequest): Promise<string>;
  /** Tries a failed run again, from the node that failed. Twice is once. @throws RUN_UNKNOWN, RUN_NOT_RETRYABLE */
  retry(merchantId: string, runId: string): Promise<void>;
}

/** Makes the starter. */
export function createRunStarter(deps: {
  outbox: Outbox<FlowTables>;
  flows: Pick<FlowStore, 'get'>;
  runs: Pick<RunStore, 'get'>;
}): RunStarter {
  const { outbox, flows, runs } = deps;
  return {
    async request(merchantId, { flowId, contactId, to, tag, input = {}, senderId, startId }) {
      const flow = await flows.get(merchantId, flowId);
      if (flow.publishedVersion === null) throw flowNotStartable('the flow is not published');
      if (!flow.definition.triggers.some(({ kind }) => kind === 'api'))
        throw flowNotStartable('the flow has no trigger of kind "api"');
      if ([contactId, to, tag].filter((each) => each !== undefined).length !== 1)
        throw runTargetInvalid('exactly one of contactId, to and tag says for whom');
      checkInput(flow.definition.inputs, input as Variables);
      const id = `${flowId}_${startId ?? createId('start')}`;
      await outbox.transaction(async (_trx, enqueue) =>
        enqueue({
          queue: 'contacts',
          name: 'request-run',
          payload: {
            merchantId,
            startId: id,
            flowId,
            ...(contactId === undefined ? {} : { contactId }),
            ...(to === undefined ? {} : { to }),
            ...(tag === undefined ? {} : { tag }),
            input,
            ...(senderId === undefined ? {} : { senderId }),
          },
          meta: { merchantId },
        }),
      );
      return id;
    },
    async retry(merchantId, runId) {
      const { run } = await runs.get(merchantId, runId);
      const state = JSON.parse(run.state) as RunState;
      if (run.status !== 'failed' || state.status !== 'failed' || state.failure?.node === undefined)
        throw runNotRetryable('the run has not failed at a node', { details: { status: run.status } });
      await outbox.transaction(async (_trx, enqueue) =>
        enqueue({
          queue: 'flows',
          name: 'resume-run',
          payload: {
            merchantId,
            runId,
            contactId: run.contactId,
            waitId: `retry${run.inputs}`,
            reason: 'retry',
          },
          meta: { merchantId },
        }),
      );
    },
  };
}

/** @throws RUN_INPUT_INVALID */
function checkInput(declared: Parameters<typeof takeInputs>[0], input: Variables): void {
  if (declared === undefined) return;
  const unknown = Object.keys(input).find((name) => !Object.hasOwn(declared, name));
  if (unknown !== undefined) throw runInputInvalid(`the flow declares no input "${unknown}"`);
  try {
    takeInputs(declared, input);
  } catch (error) {
    if (error instanceof NodeError) throw runInputInvalid(error.message);
    throw error;
  }
}
