import { isCodedError } from '@switchyard/errors';
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

/**
 * `messages`/deliver-messages: tries to send messages that are recorded already. One that fails keeps none of the others; its error is the
 * job's, whose next try finds the others done.
 */
export function createDeliverMessages(
  load: (messageId: string) => Promise<Candidate | undefined>,
  sending: Sending,
): Processor<JobPayload<'messages', 'deliver-messages'>, { sent: number }> {
  const deliverOne = createDeliverMessage(load, sending);
  return async ({ merchantId, messages }, context) => {
    const ends = await Promise.allSettled(
      messages.map((message) => deliverOne({ merchantId, ...message }, context)),
    );
    const failed = ends.flatMap((end, index) =>
      end.status === 'rejected' ? [{ error: end.reason as unknown, ...messages[index]! }] : [],
    );
    for (const { error, messageId } of failed)
      context.logger.debug({ err: error, messageId }, 'a message of the job could not be tried');
    // What only has to wait must not spend an attempt of the others.
    const worst = failed.find(({ error }) => !isCodedError(error) || error.outcome !== 'later') ?? failed[0];
    if (worst) throw worst.error;
    return { sent: ends.filter((end) => end.status === 'fulfilled' && end.value?.sent).length };
  };
}

/** `messages`/deliver-message: the same for one. Earlier versions woke messages one by one. */
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
