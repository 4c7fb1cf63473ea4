import { matchFlowEnd, type PublishedFlow } from '@switchyard/flows';
import type { JobToAdd } from '@switchyard/jobs';
import type { AdvancedRun } from '../conversations/inputs/advance.ts';
import { CHAIN_MOST } from '../conversations/inputs/start-flow.ts';
import { endedJob } from './effect-jobs.ts';

/** What follows from the end of a run: the merchant's event, and the flows that start after it. */
export function endJobs(
  { run, definition, advance, contact }: AdvancedRun,
  published: readonly PublishedFlow[],
  nowMs: number,
): JobToAdd[] {
  const { status, steps, result, failure } = advance.state;
  if (status === 'waiting') return [];
  const chainDepth = (run.chainDepth ?? 0) + 1;
  const following = chainDepth > CHAIN_MOST ? [] : matchFlowEnd(published, { flowId: run.flowId, status });
  const input = {
    ...result,
    endedFlowId: run.flowId,
    outcome: status,
    ...(failure ? { reason: failure.message } : {}),
  };
  return [
    endedJob(run, definition, advance.state, nowMs),
    ...following.map(
      ({ flowId }): JobToAdd => ({
        queue: 'flows',
        name: 'start-run',
        payload: {
          merchantId: run.merchantId,
          // Of a run that is retried, each end counts.
          startId: `${run.id}_${steps}_${flowId}`,
          flowId,
          contact,
          ...(run.senderId === null ? {} : { senderId: run.senderId }),
          input,
          chainDepth,
        },
        meta: { merchantId: run.merchantId },
      }),
    ),
  ];
}
