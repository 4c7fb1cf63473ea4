import { inspect } from 'node:util';
import { isCodedError } from '@switchyard/errors';
import type { AttemptOutcome } from './job-types.ts';

/** First pause of a *later* that names none; doubles with every further one of the job. */
const firstPauseMs = 1000;

/** Longest pause of a *later* that names none. */
const longestPauseMs = 60_000;

/** Code of a failure that was thrown without one. */
export const uncodedFailure = 'JOB_FAILED';

/** What became of a failed attempt. */
export interface Verdict {
  readonly outcome: Exclude<AttemptOutcome, 'done'>;
  readonly code: string;
  /** For people; what is thrown by foreign code is quoted. */
  readonly reason: string;
  /** For `later`. */
  readonly delayMs: number;
}

/** What is known of the attempt that failed. */
export interface FailedAttempt {
  /** 1 for the first. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** How often the job was put off before without spending an attempt. */
  readonly putOff: number;
}

/**
 * Decides what becomes of a failed attempt.
 *
 * @param error what the processor threw: a coded error's outcome counts, anything else is *retry*.
 */
export function judge(error: unknown, { attempt, maxAttempts, putOff }: FailedAttempt): Verdict {
  const coded = isCodedError(error) ? error : undefined;
  const code = coded?.code ?? uncodedFailure;
  const reason = error instanceof Error ? error.message : inspect(error, { depth: 0 });
  const outcome = coded?.outcome ?? 'retry';
  if (outcome === 'later') return { outcome, code, reason, delayMs: coded?.delayMs ?? pauseMs(putOff) };
  if (outcome === 'retry' && attempt >= maxAttempts)
    return { outcome: 'exhausted', code, reason, delayMs: 0 };
  return { outcome, code, reason, delayMs: 0 };
}

/** 1 s, 2 s, 4 s … 60 s. */
export function pauseMs(putOff: number): number {
  // 2^16 s is far beyond the longest pause; more would only overflow.
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(Math.max(putOff, 0), 16));
}
