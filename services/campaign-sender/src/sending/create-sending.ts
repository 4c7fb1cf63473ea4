import type { Logger } from 'pino';
import type { Store } from '../database/scope.ts';
import { admissionAway, interrupted } from '../errors.ts';
import { fallBack } from '../messages/fall-back.ts';
import type { Candidate } from '../messages/message-candidate.ts';
import { type MessageState, wasSent } from '../messages/message-state.ts';
import { buildRequestBody } from '../messages/outgoing-message.ts';
import type { Preparation } from '../messages/prepare-message.ts';
import { type WaitReason, waitReasonOf } from '../messages/wait-reason.ts';
import type { AdmissionControl, AdmissionRequest } from '../pacing/create-admission.ts';
import { type Gate, waitUntil } from '../pacing/gate.ts';
import type { Pass } from '../pacing/pass.ts';
import { createSlotClock, LONGEST_LAG_MS } from '../pacing/slot-clock.ts';
import type { Sender, SenderDirectory } from '../senders/sender-directory.ts';
import type { TemplateDirectory } from '../templates/template-directory.ts';
import type { AttemptStore } from './attempt-store.ts';
import type { BegunAttempt } from './begin-attempts.ts';
import type { CallResult, CloudApi } from './cloud-api.ts';
import { createReactions } from './create-reactions.ts';
import { decideAfterCall, type Verdict } from './decide-after-call.ts';
import { decideBeforeCall } from './decide-before-call.ts';
import { insist } from './insist.ts';

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
  templates: Pick<TemplateDirectory, 'forget'>;
  preparation: Preparation;
  admission: AdmissionControl;
  gate: Gate;
  api: CloudApi;
  graceMs: number;
  logger: Logger;
  /** For the test that shows what parking is for. */
  decide?: typeof decideAfterCall;
}

const MINUTE_MS = 60_000;
/** How long a message rests that waits for a person: a paused number, a missing token, a held template. */
const WAIT_FOR_PERSON_MS = 5 * MINUTE_MS;
/** A process that stalled for longer between intent and call doesn't call: the row's time would no longer be the call's. */
const LONGEST_STALL_MS = 2000;
/** The intent is written while the message waits for its slot, but no earlier than this. */
const INTENT_LEAD_MS = 100;

/** Makes the sending protocol; `docs/sending.md` tells it line by line. */
export function createSending(parts: SendingParts): Sending {
  const { store, attempts, senders, preparation, admission, gate, api, graceMs, logger } = parts;
  const decide = parts.decide ?? decideAfterCall;
  const react = createReactions(parts);
  const slots = createSlotClock();

  const resultOf = ({ id }: Candidate, state: MessageState): DeliveryResult => ({
    sent: wasSent(state),
    messageId: id,
    state,
  });

  async function postpone(
    candidate: Candidate,
    delayMs: number,
    reason: WaitReason,
  ): Promise<DeliveryResult> {
    await attempts.postpone(candidate, store.now() + delayMs, reason);
    return resultOf(candidate, 'queued');
  }

  /** Waits at the gate. */
  async function enter(request: AdmissionRequest) {
    return await gate.enter(request).catch((cause: unknown) => {
      throw admissionAway('the pace of sending cannot be asked for', { cause });
    });
  }

  /**
   * Waits for the message's slot, its intent written. One that was missed by far, since this process was busy, is given up for another.
   *
   * @returns the pass to call with, or why there is none.
   */
  async function takeSlot(request: AdmissionRequest, first: Pass): Promise<Pass | string> {
    const longestMs = Math.max(LONGEST_LAG_MS, request.pace.intervalMicros / 1000);
    let lateMs = await slots.wait(request, first.slot);
    if (first.isProbe || lateMs <= longestMs) return first;
    first.release();
    const second = await enter({ ...request, isAgain: true });
    if (second.admitted) {
      lateMs = await slots.wait(request, second.slot);
      if (second.isProbe || lateMs <= longestMs) return second;
      second.release();
    }
    return `its slot was missed by ${Math.round(lateMs)} ms`;
  }

  /** Gives a pass back that was not used; a probe's to the next message. */
  function giveUp({ id }: Sender, pass: Pass): void {
    pass.release();
    if (!pass.isProbe) return;
    admission.giveBackProbe(id).catch((error: unknown) => {
      logger.warn({ err: error, senderId: id }, 'a probe was not given back; its number waits for a minute');
    });
  }

  /**
   * Makes the call between its two rows. @returns the message's end instead where nobody wants it any more, undefined when another process
   * has it.
   */
  async function attempt(candidate: Candidate, sender: Sender, request: AdmissionRequest, first: Pass) {
    const begun = await attempts.begin(candidate).catch((error: unknown) => {
      giveUp(sender, first);
      throw error;
    });
    if (!begun || 'kind' in begun) {
      giveUp(sender, first);
      return begun;
    }
    const pass = await takeSlot(request, first).catch((error: Error) => error.message);
    if (typeof pass === 'string') return { begun, result: notSent(pass), isProbe: false };
    try {
      if (!pass.use())
        return { begun, result: notSent('its number has too many calls under way'), isProbe: pass.isProbe };
      const result = await call(candidate, sender, begun);
      if (wasAnswered(result)) slots.answered(request, pass.slot, result);
      return { begun, result, isProbe: pass.isProbe };
    } finally {
      pass.release();
    }
  }

  async function call(candidate: Candidate, sender: Sender, begun: BegunAttempt): Promise<CallResult> {
    const nowMs = store.now();
    if (candidate.expiresAtMs !== null && candidate.expiresAtMs <= nowMs)
      return notSent('its time to live was over');
    const stalledMs = nowMs - begun.startedAtMs;
    if (stalledMs > LONGEST_STALL_MS) return notSent(`stalled for ${stalledMs} ms before the call`);
    return await api.send({
      phoneNumberId: sender.phoneNumberId,
      accessToken: sender.accessToken!,
      body: buildRequestBody(candidate, begun.attempt),
    });
  }

  async function finish(
    candidate: Candidate,
    sender: Sender,
    { begun, result, isProbe }: { begun: BegunAttempt; result: CallResult; isProbe: boolean },
  ) {
    const verdict: Verdict = decide(
      result,
      { attempts: begun.attempt, failures: candidate.failures },
      { nowMs: store.now(), startedAtMs: begun.startedAtMs, graceMs },
    );
    const fallsBack = verdict.rule?.action === 'fail-window' && candidate.templateFallback !== null;
    if (fallsBack) verdict.message = { state: 'queued', wakeAtMs: store.now(), isTry: true };
    await insist(() => attempts.finish(candidate, begun, verdict));
    if (fallsBack) await fallBack(store, { ...candidate, attempts: begun.attempt });
    if (verdict.attempt.errorCode !== null)
      await preparation.refused(candidate, sender, verdict.attempt.errorCode);
    await react.toCall(sender, result, isProbe);
    if (verdict.rule && verdict.attempt.errorCode !== null)
      await react.toError(candidate, sender, verdict.rule, verdict.attempt.errorCode);
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

  async function settleOr(candidate: Candidate): Promise<DeliveryResult | undefined> {
    const decision = decideBeforeCall(candidate, store.now());
    if (decision.kind === 'leave') return resultOf(candidate, candidate.state);
    if (decision.kind === 'go' || decision.kind === 'fall-back') return undefined;
    await attempts.settle(candidate, decision);
    return resultOf(candidate, decision.state);
  }

  return {
    async deliver(candidate, signal) {
      const settled = await settleOr(candidate);
      if (settled) return settled;
      const sender = await senders.byId(candidate.senderId!);
      if (!sender || sender.isPaused || sender.accessToken === undefined)
        return await postpone(candidate, WAIT_FOR_PERSON_MS, 'NUMBER_PAUSED');
      const prepared = await preparation.prepare(candidate, sender);
      if (prepared.kind === 'leave') return resultOf(candidate, candidate.state);
      if (prepared.kind === 'wait') return await postpone(candidate, prepared.delayMs, prepared.reason);
      if (prepared.kind === 'settle') {
        await attempts.settle(candidate, prepared);
        return resultOf(candidate, prepared.state);
      }
      const { message } = prepared;
      if (signal.aborted) throw interrupted('the process is stopping');
      const request = requestFor(message, sender, store.now());
      const pass = await enter(request);
      if (!pass.admitted) return await postpone(candidate, pass.waitMs, waitReasonOf[pass.obstacle]);
      await waitUntil(pass.slot.atMs - INTENT_LEAD_MS);
      if (signal.aborted) {
        giveUp(sender, pass);
        throw interrupted('the process is stopping');
      }
      const end = await attempt(message, sender, request, pass);
      if (!end) return resultOf(candidate, 'sending');
      if ('kind' in end) {
        await attempts.settle(message, end);
        return resultOf(candidate, end.state);
      }
      const result = await finish(message, sender, end);
      if (result.state !== 'queued') return result;
      return (await settleOr({ ...candidate, attempts: end.begun.attempt, state: 'queued' })) ?? result;
    },
  };
}

const wasAnswered = ({ kind }: CallResult) => kind === 'accepted' || kind === 'rejected';

function notSent(cause: string): CallResult {
  return { kind: 'not-sent', cause, isOurs: true, tookMs: 0 };
}

/** What a message asks the gate for. Only one that opens a conversation counts against the portfolio's tier. */
function requestFor(
  { address, lane, windowExpiresAtMs }: Candidate,
  { id, pace, portfolio }: Sender,
  nowMs: number,
): AdmissionRequest {
  const opens = windowExpiresAtMs <= nowMs;
  return { senderId: id, recipient: address, pace, lane, portfolio: opens ? portfolio : undefined };
}
