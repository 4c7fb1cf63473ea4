import type { Effect, FlowDefinition, RunState } from '@switchyard/flows';
import type { JobPayload, JobToAdd } from '@switchyard/jobs';
import type { SendRequest } from '../conversations/send-order.ts';

/** What a flow may know of a person. */
export type ContactSnapshot = JobPayload<'flows', 'handle-event'>['contact'];

/** Whose effects they are. */
export interface RunIdentity {
  id: string;
  merchantId: string;
  contactId: string;
  flowId: string;
  flowVersion: number;
  senderId: string | null;
}

/** The id under which an effect is asked for: of run and step, so that asking twice is asking once. */
export function effectId(runId: string, step: number): string {
  return `${runId}_${step}`;
}

/** The messages that a run wants sent, in its order. */
export function sendRequests(
  run: RunIdentity,
  contact: ContactSnapshot,
  effects: readonly Effect[],
): SendRequest[] {
  return effects
    .filter((effect) => effect.kind === 'send')
    .map(({ step, type, content }) => ({
      merchantId: run.merchantId,
      messageId: effectId(run.id, step),
      to: contact.address,
      type,
      content,
      contactId: run.contactId,
      lane: 'flow',
      origin: { kind: 'flow', runId: run.id, stepId: String(step) },
      ...(run.senderId === null ? {} : { senderId: run.senderId }),
    }));
}

/** A request as a job. */
export function sendJob(request: SendRequest): JobToAdd {
  return {
    queue: 'messages',
    name: 'send-message',
    payload: request,
    ...(request.merchantId === undefined ? {} : { meta: { merchantId: request.merchantId } }),
  };
}

/** What a run learned about the person. */
export function contactJobs(
  { id, merchantId, contactId }: RunIdentity,
  effects: readonly Effect[],
): JobToAdd[] {
  return effects.flatMap((effect): JobToAdd[] => {
    if (effect.kind === 'send') return [];
    const target = { merchantId, contactId, effectId: effectId(id, effect.step) };
    const meta = { merchantId };
    return effect.kind === 'set-attribute'
      ? [
          {
            queue: 'contacts',
            name: 'set-attributes',
            payload: { ...target, attributes: { [effect.name]: effect.value } },
            meta,
          },
        ]
      : [
          {
            queue: 'contacts',
            name: 'tag-contact',
            payload: { ...target, add: [...effect.add], remove: [...effect.remove] },
            meta,
          },
        ];
  });
}

/** The merchant's event of a run that ended. */
export function endedJob(
  run: RunIdentity,
  definition: Pick<FlowDefinition, 'name'>,
  state: RunState,
  occurredAtMs: number,
): JobToAdd {
  const { id, merchantId, contactId, flowId, flowVersion } = run;
  return {
    queue: 'webhooks',
    name: 'publish-events',
    payload: {
      merchantId,
      batchId: `${id}_ended`,
      events: [
        {
          id: `${id}_ended`,
          type: `flow.${state.status}`,
          occurredAtMs,
          data: {
            runId: id,
            flowId,
            flowVersion,
            flowName: definition.name,
            contactId,
            variables: state.variables,
            ...(state.failure === undefined ? {} : { failure: state.failure }),
          },
        },
      ],
    },
    meta: { merchantId },
  };
}
