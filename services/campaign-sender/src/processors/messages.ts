import { isCodedError } from '@switchyard/errors';
import { type JobPayload, type Processor, type ProcessorContext, withMeta } from '@switchyard/jobs';
import PQueue from 'p-queue';
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
 * `messages`/send-messages: tries to send each message as a job of its own would, and tells of each under its own ids.
 *
 * @param atOnce messages of such jobs that are under way at a time, in this process, the most urgent first: as many as if each had a job. More
 * would find no place at the gate, and go by way of SQL.
 */
export function createSendMessages(
  recorder: Pick<Recorder, 'meet' | 'record'>,
  sending: Sending,
  atOnce: number,
): Processor<JobPayload<'messages', 'send-messages'>, { sent: number }> {
  const sendOne = createSendMessage(recorder, sending);
  const queue = new PQueue({ concurrency: atOnce });
  return async ({ messages }, context) => {
    // There a greater one goes first; a job without any overtakes the others, as in BullMQ.
    const priority = -(context.job.priority ?? 0);
    return await tryEach(
      messages.map(({ message, meta = {} }) => ({
        messageId: message.messageId,
        run: () => {
          const send = async () => {
            const result = await sendOne(message, context);
            const { messageId, sent, state } = result;
            context.logger.info({ ...meta, messageId, sent, state }, 'message of the job done');
            return result;
          };
          // Begun when another's message has ended, it would bear that one's ids.
          const sendAsItself = () => withMeta({ ...context.job.meta, ...meta }, send);
          return queue.add(sendAsItself, { priority });
        },
      })),
      context,
    );
  };
}

/** `messages`/deliver-messages: tries to send messages that are recorded already. */
export function createDeliverMessages(
  load: (messageId: string) => Promise<Candidate | undefined>,
  sending: Sending,
): Processor<JobPayload<'messages', 'deliver-messages'>, { sent: number }> {
  const deliverOne = createDeliverMessage(load, sending);
  return async ({ merchantId, messages }, context) =>
    await tryEach(
      messages.map((message) => ({
        messageId: message.messageId,
        run: () => deliverOne({ merchantId, ...message }, context),
      })),
      context,
    );
}

interface OneOfSeveral {
  messageId: string;
  run: () => Promise<DeliveryResult | undefined>;
}

/** Tries each. One that fails keeps none of the others; its error is the job's, whose next try finds the others done. */
async function tryEach(
  messages: readonly OneOfSeveral[],
  { logger }: ProcessorContext,
): Promise<{ sent: number }> {
  const ends = await Promise.allSettled(messages.map(({ run }) => run()));
  const failed = ends.flatMap((end, index) =>
    end.status === 'rejected'
      ? [{ error: end.reason as unknown, messageId: messages[index]!.messageId }]
      : [],
  );
  const mustWait = (error: unknown) => isCodedError(error) && error.outcome === 'later';
  // What only has to wait is one story for the whole process, told elsewhere.
  for (const { error, messageId } of failed)
    logger[mustWait(error) ? 'debug' : 'warn'](
      { err: error, messageId },
      'a message of the job could not be tried',
    );
  // What only has to wait must not spend an attempt of the others.
  const worst = failed.find(({ error }) => !mustWait(error)) ?? failed[0];
  if (worst) throw worst.error;
  return { sent: ends.filter((end) => end.status === 'fulfilled' && end.value?.sent).length };
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
