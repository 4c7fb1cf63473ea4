import type { AttemptState } from '../database/tables.ts';
import type { CallResult } from './cloud-api.ts';
import { type ProviderErrorRule, RETRY_LIMIT, ruleForCode } from './provider-errors.ts';

/** What a call's end means for its attempt and its message. */
export interface Verdict {
  attempt: {
    state: AttemptState;
    providerMessageId: string | null;
    errorCode: string | null;
    cause: string | null;
  };
  message:
    | { state: 'accepted' }
    | { state: 'parked'; wakeAtMs: number }
    /** `isTry`: the end counts against the limit of tries. */
    | { state: 'queued'; wakeAtMs: number; isTry: boolean }
    | { state: 'failed'; code: string; reason: string };
  /** The row of the error table, when the provider refused; what it asks beyond this message is done by `reactToError`. */
  rule: ProviderErrorRule | undefined;
}

/** The times a verdict depends on. */
export interface VerdictTimes {
  nowMs: number;
  startedAtMs: number;
  graceMs: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
/** How long a message of a paused number rests; the dispatcher leaves paused numbers alone anyway. */
const PAUSED_MS = 5 * MINUTE_MS;

/** Decides by a call's end. Pure. @param failures tries that were used up before this call. */
export function decideAfterCall(
  result: CallResult,
  { attempts, failures }: { attempts: number; failures: number },
  times: VerdictTimes,
): Verdict {
  const { nowMs, startedAtMs, graceMs } = times;
  if (result.kind === 'accepted')
    return {
      attempt: attempt('accepted', { providerMessageId: result.providerMessageId }),
      message: { state: 'accepted' },
      rule: undefined,
    };
  if (result.kind === 'unknown')
    return {
      attempt: attempt('parked', { cause: result.cause }),
      message: { state: 'parked', wakeAtMs: startedAtMs + graceMs },
      rule: undefined,
    };
  if (result.kind === 'not-sent')
    return {
      attempt: attempt('not-sent', { cause: result.cause }),
      message: {
        state: 'queued',
        wakeAtMs: nowMs + (result.isOurs ? SECOND_MS : pauseAfter(attempts, MINUTE_MS)),
        isTry: false,
      },
      rule: undefined,
    };
  const rule = ruleForCode(result.code);
  return {
    attempt: attempt('rejected', { errorCode: String(result.code), cause: result.details }),
    message: afterRefusal(rule, result, failures, nowMs),
    rule,
  };
}

/** What becomes of a message that the provider has refused, in its answer or by a receipt. Pure. @param failures tries used up before. */
export function afterRefusal(
  rule: ProviderErrorRule,
  { code, details }: { code: number; details: string },
  failures: number,
  nowMs: number,
): Verdict['message'] {
  switch (rule.action) {
    case 'retry':
      if (failures + 1 < RETRY_LIMIT)
        return { state: 'queued', wakeAtMs: nowMs + pauseAfter(failures + 1, MINUTE_MS), isTry: true };
      return { state: 'failed', code: String(code), reason: `${rule.meaning} ${details}`.trim() };
    case 'slow-number':
    case 'delay-recipient':
      return { state: 'queued', wakeAtMs: nowMs + SECOND_MS, isTry: false };
    case 'wait-number':
    case 'slow-app':
    case 'slow-account':
      return { state: 'queued', wakeAtMs: nowMs + holdMsOf(rule), isTry: false };
    case 'hold-template':
    case 'pause-sender':
    case 'pause-account':
      return { state: 'queued', wakeAtMs: nowMs + PAUSED_MS, isTry: false };
    case 'fail':
    case 'fail-window':
    case 'fail-and-suppress':
    case 'drop-template':
      return { state: 'failed', code: String(code), reason: `${rule.meaning} ${details}`.trim() };
  }
}

/** For how long an error lets its number rest. */
export function holdMsOf({ action }: ProviderErrorRule): number {
  if (action === 'wait-number') return 30 * SECOND_MS;
  if (action === 'slow-app' || action === 'slow-account') return MINUTE_MS;
  return 0;
}

/** 5 s, 10 s, 20 s … (R2). @param attempts calls so far. */
function pauseAfter(attempts: number, limitMs: number): number {
  return Math.min(5 * SECOND_MS * 2 ** (attempts - 1), limitMs);
}

function attempt(
  state: AttemptState,
  known: { providerMessageId?: string; errorCode?: string; cause?: string },
): Verdict['attempt'] {
  return {
    state,
    providerMessageId: known.providerMessageId ?? null,
    errorCode: known.errorCode ?? null,
    cause: known.cause?.slice(0, 500) ?? null,
  };
}
