import type { Effect, FlowDefinition, RunState } from '@switchyard/flows';
import type { JobPayload, JobToAdd } from '@switchyard/jobs';
import type { SendRequest } from '../conversations/send-order.ts';
import { callJob } from './call-jobs.ts';

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

/**
 * The messages that a run wants sent, in its order.
 *
 * @param watched steps that are to be told how their message ended.
 */
export function sendRequests(
  run: RunIdentity,
  contact: ContactSnapshot,
  effects: readonly Effect[],
  watched: ReadonlySet<number>,
): SendRequest[] {
  return effects
    .filter((effect) => effect.kind === 'send')
    .map(({ step, type, content, templateFallback }) => ({
      merchantId: run.merchantId,
      messageId: effectId(run.id, step),
      to: contact.address,
      // Definitions name no other types than `messages` takes.
      type: type as NonNullable<SendRequest['type']>,
      content: { ...content },
      ...(templateFallback === undefined
        ? {}
        : { templateFallback: templateFallback as NonNullable<SendRequest['templateFallback']> }),
      contactId: run.contactId,
      lane: 'flow',
      origin: {
        kind: 'flow',
        runId: run.id,
        stepId: String(step),
        ...(watched.has(step) ? { notifyOutcome: true } : {}),
      },
      ...(run.senderId === null ? {} : { senderId: run.senderId }),
    }));
}

/** Between answers (4) and campaigns (8): a hundred thousand reminders must not hold up a conversation. */
const BACKGROUND_PRIORITY = 6;

/** A request as a job. */
export function sendJob(request: SendRequest, isBackground = false): JobToAdd {
  return {
    queue: 'messages',
    name: 'send-message',
    payload: request,
    ...(isBackground ? { options: { priority: BACKGROUND_PRIORITY } } : {}),
    ...(request.merchantId === undefined ? {} : { meta: { merchantId: request.merchantId } }),
  };
}

/** What a run wants done besides messages, as jobs. */
export function effectJobs(run: RunIdentity, effects: readonly Effect[], atMs: number): JobToAdd[] {
  return effects.flatMap((effect) => jobOf(run, effect, atMs) ?? []);
}

function jobOf(run: RunIdentity, effect: Effect, atMs: number): JobToAdd | undefined {
  const { merchantId, contactId } = run;
  const id = effectId(run.id, effect.step);
  const target = { merchantId, contactId, effectId: id };
  const meta = { merchantId };
  switch (effect.kind) {
    case 'send':
      // In order, by `sendRequests`.
      return undefined;
    case 'set-attribute': {
      const payload = { ...target, attributes: { [effect.name]: effect.value } };
      return { queue: 'contacts', name: 'set-attributes', payload, meta };
    }
    case 'tag': {
      const payload = { ...target, add: [...effect.add], remove: [...effect.remove] };
      return { queue: 'contacts', name: 'tag-contact', payload, meta };
    }
    case 'consent': {
      const { purpose, granted } = effect;
      const payload = { ...target, purpose, granted, source: `flow ${run.flowId}`, decidedAtMs: atMs };
      return { queue: 'contacts', name: 'set-consent', payload, meta };
    }
    case 'handover': {
      const { untilMs, reason } = effect;
      const payload = {
        ...target,
        handler: 'person' as const,
        ...(untilMs === undefined ? {} : { untilMs }),
        ...(reason === undefined ? {} : { reason: reason.slice(0, 500) }),
      };
      return { queue: 'contacts', name: 'set-handover', payload, meta };
    }
    case 'call':
      return callJob(run, id, effect);
    default:
      return noticeJob(run, id, effect);
  }
}

/** What goes out through notifier. */
function noticeJob(
  { merchantId, contactId, flowId, id: runId }: RunIdentity,
  id: string,
  effect: Extract<Effect, { kind: 'email' | 'webhook' | 'notify' }>,
): JobToAdd {
  const meta = { merchantId };
  switch (effect.kind) {
    case 'email': {
      const { kind: _, step: __, to, ...email } = effect;
      return {
        queue: 'emails',
        name: 'send-email',
        payload: { merchantId, emailId: id, to: [...to], ...email },
        meta,
      };
    }
    case 'webhook': {
      const data = { ...effect.data, flowId, runId, contactId };
      const event = { id, type: effect.type, occurredAtMs: effect.atMs, data };
      const payload = { merchantId, batchId: id, events: [event] };
      return { queue: 'webhooks', name: 'publish-events', payload, meta };
    }
    case 'notify': {
      const { title, body, severity, atMs } = effect;
      const payload = {
        merchantId,
        notificationId: id,
        key: `flow_${flowId}`,
        severity,
        title,
        ...(body === undefined ? {} : { body }),
        occurredAtMs: atMs,
      };
      return { queue: 'notifications', name: 'send-notification', payload, meta };
    }
  }
}

/** The merchant's event of a run that ended. */
export function endedJob(
  run: RunIdentity,
  definition: Pick<FlowDefinition, 'name'>,
  state: RunState,
  occurredAtMs: number,
): JobToAdd {
  const { id, merchantId, contactId, flowId, flowVersion } = run;
  // A run that is retried ends once more.
  const endId = `${id}_ended_${state.steps}`;
  return {
    queue: 'webhooks',
    name: 'publish-events',
    payload: {
      merchantId,
      batchId: endId,
      events: [
        {
          id: endId,
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
