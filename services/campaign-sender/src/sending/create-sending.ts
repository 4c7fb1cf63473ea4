import { setTimeout as pause } from 'node:timers/promises';
import { isCodedError } from '@switchyard/errors';
import type { SharedBreaker } from '@switchyard/redis';
import type { Logger } from 'pino';
import type { Store } from '../database/scope.ts';
import { admissionAway, interrupted } from '../errors.ts';
import type { Candidate } from '../messages/message-candidate.ts';
import { type MessageState, wasSent } from '../messages/message-state.ts';
import { buildRequestBody } from '../messages/outgoing-message.ts';
import type { AdmissionControl } from '../pacing/create-admission.ts';
import type { Sender, SenderDirectory } from '../senders/sender-directory.ts';
import type { AttemptStore, BegunAttempt } from './attempt-store.ts';
import type { CallResult, CloudApi } from './cloud-api.ts';
import { decideAfterCall, holdMsOf, type Verdict } from './decide-after-call.ts';
import { decideBeforeCall } from './decide-before-call.ts';
import { insist } from './insist.ts';
import { isProviderTrouble, type ProviderErrorRule } from './provider-errors.ts';
import { needsReaction, reactToError } from './react-to-error.ts';
import type { TemplateHolds } from './template-holds.ts';

/** What became of a message for now; `sent` when the provider has taken it. */
export interface DeliveryResult {
  sent: boolean;
  messageId: string;
  state: MessageState;
}

/** Takes messages through one attempt. */
export interface Sending {
  /**
   * Tries to send a message. Any number of processes may try the same message at the same time: one calls.
   *
   * @throws SENDING_INTERRUPTED (later) when the process stops before the intent was written.
   */
  deliver(candidate: Candidate, signal: AbortSignal): Promise<DeliveryResult>;
}

/** What sending is made of. */
export interface SendingParts {
  store: Store;
  attempts: AttemptStore;
  senders: SenderDirectory;
  templates: TemplateHolds;
  admission: AdmissionControl;
  breaker: Pick<SharedBreaker, 'run'>;
  api: CloudApi;
  graceMs: number;
  logger: Logger;
}

const MINUTE_MS = 60_000;
/** How long a message rests that waits for a person: a paused number, a missing token, a held template. */
const WAIT_FOR_PERSON_MS = 5 * MINUTE_MS;
/** A process that stalled for longer between intent and call doesn't call: the row's time would no longer be the call's. */
const LONGEST_STALL_MS = 2000;
/** How late a slot may be used: less than the share of a second that `Pace` leaves unused. */
const LATE_MS = 15;

/** Carries the end of a call through the circuit breaker, which counts errors. */
class TroubledCall extends Error {
  readonly end: { begun: BegunAttempt; result: CallResult };

  constructor(end: { begun: BegunAttempt; result: CallResult }) {
    super('the provider is in trouble');
    this.end = end;
  }
}

/** Whether an error is a call that says the provider is unwell. For the breaker. */
export function isTroubledCall(error: unknown): boolean {
  return error instanceof TroubledCall;
}

/** Makes the sending protocol; `docs/sending.md` tells it line by line. */
export function createSending(parts: SendingParts): Sending {
  const { store, attempts, senders, templates, admission, breaker, api, graceMs, logger } = parts;

  const resultOf = ({ id }: Candidate, state: MessageState): DeliveryResult => ({
    sent: wasSent(state),
    messageId: id,
    state,
  });

  async function postpone(candidate: Candidate, delayMs: number): Promise<DeliveryResult> {
    await attempts.postpone(candidate, store.now() + delayMs);
    return resultOf(candidate, 'queued');
  }

  /** Makes the call between its two rows. @returns undefined when another process has the message. */
  async function attempt(candidate: Candidate, sender: Sender) {
    const begun = await attempts.begin(candidate);
    if (!begun) return undefined;
    const stalledMs = store.now() - begun.startedAtMs;
    const result: CallResult =
      stalledMs > LONGEST_STALL_MS
        ? { kind: 'not-sent', cause: `stalled for ${stalledMs} ms before the call`, tookMs: 0 }
        : await api.send({
            phoneNumberId: sender.phoneNumberId,
            accessToken: sender.accessToken!,
            body: buildRequestBody(candidate, begun.attempt),
          });
    if (isTrouble(result)) throw new TroubledCall({ begun, result });
    return { begun, result };
  }

  async function attemptThroughBreaker(candidate: Candidate, sender: Sender) {
    try {
      return await breaker.run(sender.id, () => attempt(candidate, sender));
    } catch (error) {
      if (error instanceof TroubledCall) return error.end;
      throw error;
    }
  }

  /**
   * Waits for the message's slot. One that was missed, since this process was busy, is given up for another: slots that are used
   * late come in a heap, and the provider counts each second.
   *
   * @returns 0 when the message may go now, else how long it must wait elsewhere.
   */
  async function takeSlot(
    { address }: Candidate,
    { id, pace }: Sender,
    signal: AbortSignal,
  ): Promise<number> {
    const tolerableMs = Math.max(LATE_MS, pace.intervalMicros / 1000);
    for (let isAgain = false; ; isAgain = true) {
      const askedAt = performance.now();
      const admitted = await admission.admit(id, address, pace, isAgain).catch((cause: unknown) => {
        throw admissionAway('the pace of sending cannot be asked for', { cause });
      });
      if (!admitted.admitted) return admitted.waitMs;
      if (admitted.waitMs > 0) await waitForSlot(admitted.waitMs, signal);
      if (isAgain || performance.now() - askedAt - admitted.waitMs <= tolerableMs) return 0;
    }
  }

  async function react(candidate: Candidate, sender: Sender, rule: ProviderErrorRule, code: string) {
    if (rule.action === 'slow-number') await admission.slowDown(sender.id);
    if (rule.action === 'delay-recipient') await admission.delayRecipient(sender.id, candidate.address);
    const holdMs = holdMsOf(rule);
    if (holdMs > 0) await admission.hold(sender.id, holdMs);
    if (!needsReaction(rule)) return;
    const { name } = candidate.content;
    await store.inScope((scope) =>
      reactToError(
        scope,
        store.dialect,
        rule,
        code,
        {
          merchantId: candidate.merchantId,
          contactId: candidate.contactId,
          senderId: sender.id,
          wabaId: sender.wabaId,
          template: candidate.type === 'template' && typeof name === 'string' ? name : undefined,
        },
        store.now(),
      ),
    );
    senders.forget();
    templates.forget();
  }

  async function finish(candidate: Candidate, sender: Sender, begun: BegunAttempt, result: CallResult) {
    const verdict: Verdict = decideAfterCall(
      result,
      { attempts: begun.attempt, failures: candidate.failures },
      { nowMs: store.now(), startedAtMs: begun.startedAtMs, graceMs },
    );
    await insist(() => attempts.finish(candidate, begun, verdict));
    if (verdict.rule && verdict.attempt.errorCode !== null)
      await react(candidate, sender, verdict.rule, verdict.attempt.errorCode);
    logger.debug(
      {
        messageId: candidate.id,
        attempt: begun.attempt,
        end: result.kind,
        state: verdict.message.state,
        tookMs: Math.round(result.tookMs),
        ...(verdict.attempt.errorCode === null ? {} : { code: verdict.attempt.errorCode }),
      },
      'message attempted',
    );
    return resultOf(candidate, verdict.message.state);
  }

  return {
    async deliver(candidate, signal) {
      const decision = decideBeforeCall(candidate, store.now());
      if (decision.kind === 'leave') return resultOf(candidate, candidate.state);
      if (decision.kind === 'settle') {
        await attempts.settle(candidate, decision);
        return resultOf(candidate, decision.state);
      }
      const sender = await senders.byId(candidate.senderId!);
      if (!sender || sender.isPaused || sender.accessToken === undefined)
        return await postpone(candidate, WAIT_FOR_PERSON_MS);
      const held = await heldTemplate(candidate);
      if (held === 'held') return await postpone(candidate, MINUTE_MS);
      if (held === 'dropped') {
        await attempts.settle(candidate, templateDisabled);
        return resultOf(candidate, 'failed');
      }
      if (signal.aborted) throw interrupted('the process is stopping');
      const waitMs = await takeSlot(candidate, sender, signal);
      if (waitMs > 0) return await postpone(candidate, waitMs);
      try {
        const end = await attemptThroughBreaker(candidate, sender);
        if (!end) return resultOf(candidate, 'sending');
        return await finish(candidate, sender, end.begun, end.result);
      } catch (error) {
        if (isCodedError(error) && error.code === 'CIRCUIT_OPEN')
          return await postpone(candidate, error.delayMs ?? MINUTE_MS);
        throw error;
      }
    },
  };

  function heldTemplate({ merchantId, type, content }: Candidate) {
    if (type !== 'template' || typeof content.name !== 'string') return undefined;
    return templates.find(merchantId, content.name);
  }
}

const templateDisabled = {
  kind: 'settle',
  state: 'failed',
  code: '132016',
  reason: 'the template is disabled',
} as const;

/** Waits for the reserved moment; stopping the process ends the wait before anything was written. */
async function waitForSlot(waitMs: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(waitMs, undefined, { signal });
  } catch (cause) {
    throw interrupted('the process is stopping', { cause });
  }
}

/** Whether a call says that the provider, rather than the message, is in trouble. */
function isTrouble(result: CallResult): boolean {
  if (result.kind === 'not-sent' || result.kind === 'unknown') return true;
  return result.kind === 'rejected' && isProviderTrouble(result.code);
}
