import type { JobPayload } from '@switchyard/jobs';

/** A request for `messages`. */
export type SendRequest = JobPayload<'messages', 'send-message'>;

/** Messages of a contact of which each waits for the one before it. */
export interface SendQueue {
  /** The message that is on its way. */
  inFlight: string;
  waiting: SendRequest[];
}

/** What goes out now, and what waits. */
export interface SendStep {
  /** At most one request. */
  send: SendRequest | undefined;
  /** Null: nothing waits. */
  queue: SendQueue | null;
}

/**
 * Requests may be taken up in any order, and a message may be delayed while a later one is not. So, where several are to go out,
 * each is asked for when the one before it has come to an end. One alone, the usual case, waits for nothing and tells nobody.
 *
 * @param queue what waits already.
 */
export function queueSends(queue: SendQueue | null, sends: readonly SendRequest[]): SendStep {
  if (queue) return { send: undefined, queue: { ...queue, waiting: [...queue.waiting, ...sends] } };
  return sendNext(sends);
}

/** The message under way has come to its end: the next one goes out. Another message's end changes nothing: undefined. */
export function endSend(queue: SendQueue | null, messageId: string): SendStep | undefined {
  return queue?.inFlight === messageId ? sendNext(queue.waiting) : undefined;
}

/** Sends the next message whatever became of the one before. */
export function sendNext(waiting: readonly SendRequest[]): SendStep {
  const [first, ...rest] = waiting;
  if (first === undefined) return { send: undefined, queue: null };
  if (rest.length === 0) return { send: first, queue: null };
  return { send: withOutcome(first), queue: { inFlight: first.messageId ?? '', waiting: rest } };
}

function withOutcome(request: SendRequest): SendRequest {
  return request.origin?.kind === 'flow'
    ? { ...request, origin: { ...request.origin, notifyOutcome: true } }
    : request;
}
