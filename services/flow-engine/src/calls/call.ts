import type { JobPayload } from '@switchyard/jobs';

/** A request to somebody's HTTP endpoint. */
export type HttpCall = Extract<JobPayload<'flows', 'execute-call'>['call'], { kind: 'http' }>;

/** A look into a shop. */
export type ShopifyCall = Extract<JobPayload<'flows', 'execute-call'>['call'], { kind: 'shopify' }>;

type Asked<J extends 'generate-reply' | 'classify-text' | 'transcribe-audio'> = Omit<
  JobPayload<'ai', J>,
  'merchantId' | 'requestId' | 'runId' | 'stepId' | 'waitId' | 'contactId'
>;

/** A model's reply in a conversation. */
export type AiReplyCall = { kind: 'ai-reply' } & Asked<'generate-reply'>;

/** One of the given labels, or values by a JSON schema. */
export type AiClassifyCall = { kind: 'ai-classify' } & Asked<'classify-text'>;

/** A voice message as text. */
export type TranscribeCall = { kind: 'transcribe' } & Asked<'transcribe-audio'>;

/** What a run can ask of the outside. */
export type Call = HttpCall | ShopifyCall | AiReplyCall | AiClassifyCall | TranscribeCall;

/** What a call gives when it succeeds, by kind: what nodes read from {@link CallResult}. */
export interface CallValues {
  /** `body` is parsed where the answer says it is JSON, else text. An answer of any status is a success of the call. */
  http: { status: number; headers?: Record<string, string>; body?: unknown };
  /** `record: null`: there is none. */
  shopify: { record: Record<string, unknown> | null };
  'ai-reply': { text: string; usage?: AiUsage };
  /** `label` where labels were given, `values` where a schema was; both checked by the executor. */
  'ai-classify': { label?: string; values?: Record<string, unknown>; usage?: AiUsage };
  transcribe: { text: string; usage?: AiUsage };
}

/** What a model was paid for. */
export interface AiUsage {
  inputTokens: number;
  outputTokens: number;
  model?: string;
  costMicros?: number;
}

/** What became of a call. `code` is one of ours, `message` a sentence for the person who built the flow. */
export type CallResult<V = unknown> = { ok: true; value?: V } | { ok: false; code: string; message: string };

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

/** An executor for every kind of call. */
export type CallExecutors = { readonly [K in Call['kind']]: CallExecutor<K> };
