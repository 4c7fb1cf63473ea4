import type { Call, CallResult, CallValues } from '@switchyard/flows';

export type { AiUsage, Call, CallResult, CallValues } from '@switchyard/flows';

/** What an executor is told besides the call. */
export interface CallContext {
  merchantId: string;
  /** Of run and step: the same at every attempt, so that it can serve as an idempotency key. */
  requestId: string;
  contactId: string;
  /** 1 for the first; at `maxAttempts` a throw becomes a failed result. */
  attempt: number;
  maxAttempts: number;
  /** Aborted on time-out and shutdown. */
  signal: AbortSignal;
}

/**
 * Makes calls of one kind. What can't succeed is a result with `ok: false`; what may succeed at another attempt is thrown (a coded
 * error with `retry` or `later`), and becomes a failed result when there is no other.
 */
export type CallExecutor<K extends Call['kind']> = (
  call: Extract<Call, { kind: K }>,
  context: CallContext,
) => Promise<CallResult<CallValues[K]>>;

/** An executor for every kind of call that this installation can make. */
export type CallExecutors = { readonly [K in Call['kind']]?: CallExecutor<K> };
