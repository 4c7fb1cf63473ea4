import type { JobPayload, Processor } from '@switchyard/jobs';
import type { Candidate } from '../messages/message-candidate.ts';
import type { Recorder } from '../messages/recorder.ts';
import type { DeliveryResult, Sending } from '../sending/create-sending.ts';

/** `messages`/send-message: tries to send the message, which is recorded at its intent or, where more must be known first, before. */
export function createSendMessage(
  recorder: Pick<Recorder, 'meet' | 'record'>,
  sending: Sending,
): Processor<JobPayload<'messages', 'send-message'>, DeliveryResult> {
  return async (payload, { job, signal }) => {
    // A counter's id starts again when Redis is emptied; with the time it does not repeat. Any other stays when the job is added again.
    const named = /^\d+$/.test(job.id) ? `${job.enqueuedAtMs.toString(36)}_${job.id}` : job.id;
    const fallbackId = `msg_${named}`.replaceAll(/[^A-Za-z0-9._-]/g, '_');
    const candidate = await recorder.meet(payload, fallbackId);
    return await sending.deliver(candidate ?? (await recorder.record(payload, fallbackId)), signal);
  };
}

/** `messages`/deliver-message: tries to send a message that is recorded already. */
export function createDeliverMessage(
  load: (messageId: string) => Promise<Candidate | undefined>,
  sending: Sending,
): Processor<JobPayload<'messages', 'deliver-message'>, DeliveryResult | undefined> {
  return async ({ merchantId, messageId }, { signal, logger }) => {
    const candidate = await load(messageId);
    if (candidate?.merchantId !== merchantId) {
      logger.warn({ messageId }, 'the message to deliver does not exist');
      return undefined;
    }
    return await sending.deliver(candidate, signal);
  };
}
