/**
 * What a job's handler should do with an error.
 * - `retry`: an attempt is spent, the queue's backoff runs.
 * - `later`: a dependency is away or a rate must be waited for; no attempt is spent.
 * - `never`: this job can't succeed; it goes to `failed_jobs` at once.
 */
export type Outcome = 'retry' | 'later' | 'never';

/** What one error instance adds to its definition. */
export interface CodedErrorOptions {
  /** Facts that the caller may see: the field at fault, a limit. Never a secret, never a phone number. */
  details?: Record<string, unknown>;
  /** The error behind this one. Logged, never returned to a caller. */
  cause?: unknown;
  /** For `later`: how long to wait before the next try. */
  delayMs?: number;
  /** Overrides the outcome declared for the code. */
  outcome?: Outcome;
}

/**
 * An error with a stable code, an HTTP status and a declared outcome.
 *
 * The message is public: it is returned to callers, so internal detail belongs in `cause`.
 */
export class CodedError extends Error {
  readonly code: string;
  readonly statusCode: number;
  readonly outcome: Outcome;
  readonly details: Record<string, unknown> | undefined;
  readonly delayMs: number | undefined;

  constructor(
    definition: { code: string; statusCode: number; outcome: Outcome },
    message: string,
    options: CodedErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CodedError';
    this.code = definition.code;
    this.statusCode = definition.statusCode;
    this.outcome = options.outcome ?? definition.outcome;
    this.details = options.details;
    this.delayMs = options.delayMs;
  }
}

/**
 * Declares an error code and returns the function that makes its instances.
 *
 * @param code SCREAMING_SNAKE_CASE, unique over the project.
 * @param statusCode what an HTTP caller gets.
 * @param outcome what a job that meets it does.
 * @example
 * export const senderUnknown = defineError('SENDER_UNKNOWN', 404, 'never');
 * throw senderUnknown('no sender has this id', { details: { senderId } });
 */
export function defineError(code: string, statusCode: number, outcome: Outcome) {
  const make = (message: string, options?: CodedErrorOptions) =>
    new CodedError({ code, statusCode, outcome }, message, options);
  return Object.assign(make, { code, statusCode, outcome });
}

/** Whether a thrown value is a {@link CodedError}, also one from another copy of this package. */
export function isCodedError(error: unknown): error is CodedError {
  return error instanceof Error && error.name === 'CodedError' && 'code' in error && 'outcome' in error;
}
