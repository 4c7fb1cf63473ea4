import type { Candidate } from '../messages/message-candidate.ts';
import type { MessageState } from '../messages/message-state.ts';

/** What becomes of a message that has not been called for. */
export type Decision =
  | { kind: 'go' }
  /** Somebody else has it, or its end is known. */
  | { kind: 'leave' }
  /** The window is closed: the template that the caller has named goes instead. */
  | { kind: 'fall-back' }
  | {
      kind: 'settle';
      state: Extract<MessageState, 'failed' | 'skipped' | 'expired'>;
      code: string;
      reason: string;
    };

/** The end of a message that is not called for. */
export type Unsent = Extract<Decision, { kind: 'settle' }>;

/** The only kind of message that may be sent outside the 24-hour window. */
const TEMPLATE = 'template';

/** Decides what can be decided without asking anybody. Pure. */
export function decideBeforeCall(
  message: Pick<
    Candidate,
    | 'state'
    | 'type'
    | 'lane'
    | 'expiresAtMs'
    | 'optedOut'
    | 'marketingOptedOut'
    | 'windowExpiresAtMs'
    | 'senderId'
    | 'templateFallback'
  >,
  nowMs: number,
): Decision {
  if (message.state !== 'queued') return { kind: 'leave' };
  if (message.expiresAtMs !== null && message.expiresAtMs <= nowMs)
    return { kind: 'settle', state: 'expired', code: 'EXPIRED', reason: 'its time to live was over' };
  if (message.optedOut)
    return { kind: 'settle', state: 'skipped', code: 'OPTED_OUT', reason: 'the person wants no messages' };
  if (message.marketingOptedOut && message.lane === 'campaign')
    return {
      kind: 'settle',
      state: 'skipped',
      code: 'MARKETING_OPTED_OUT',
      reason: 'the person wants no marketing',
    };
  if (message.senderId === null)
    return {
      kind: 'settle',
      state: 'failed',
      code: 'SENDER_UNKNOWN',
      reason: 'there is no number to send from',
    };
  if (message.type !== TEMPLATE && message.windowExpiresAtMs <= nowMs && message.templateFallback !== null)
    return { kind: 'fall-back' };
  if (message.type !== TEMPLATE && message.windowExpiresAtMs <= nowMs)
    return {
      kind: 'settle',
      state: 'failed',
      code: '131047',
      reason: 'more than 24 hours since the person wrote; only a template may be sent',
    };
  return { kind: 'go' };
}
