import type { Effect } from '@switchyard/flows';
import type { JobToAdd } from '@switchyard/jobs';
import type { RunIdentity } from './effect-jobs.ts';

/** A call of a run as a job: calls of models have a queue of their own, since they are slow. */
export function callJob(
  { id: runId, merchantId, contactId }: Pick<RunIdentity, 'id' | 'merchantId' | 'contactId'>,
  requestId: string,
  { step, waitId, call }: Extract<Effect, { kind: 'call' }>,
): JobToAdd {
  const asked = { merchantId, requestId, runId, stepId: String(step), waitId, contactId };
  const meta = { merchantId };
  switch (call.kind) {
    case 'ai-reply': {
      const { kind: _, ...reply } = call;
      return { queue: 'ai', name: 'generate-reply', payload: { ...asked, ...reply }, meta };
    }
    case 'ai-classify': {
      const { kind: _, ...classify } = call;
      return { queue: 'ai', name: 'classify-text', payload: { ...asked, ...classify }, meta };
    }
    case 'transcribe': {
      const { kind: _, ...transcribe } = call;
      return { queue: 'ai', name: 'transcribe-audio', payload: { ...asked, ...transcribe }, meta };
    }
    default:
      return { queue: 'flows', name: 'execute-call', payload: { ...asked, call }, meta };
  }
}
