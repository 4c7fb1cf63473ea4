/** A request to somebody's HTTP endpoint. */
export interface HttpCall {
  kind: 'http';
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  /** Sent as it is; `json` is sent as JSON. */
  body?: string;
  json?: unknown;
  timeoutMs?: number;
  /** Names of the merchant's secrets, by what stands for them in address, headers and body. */
  secrets?: Readonly<Record<string, string>>;
}

/** A look into a shop; `by` says what `value` is. */
export interface ShopifyCall {
  kind: 'shopify';
  resource: 'order' | 'customer' | 'product';
  by: 'id' | 'name' | 'email' | 'phone' | 'query';
  value: string;
  /** The merchant's only shop where absent. */
  shopDomain?: string;
}

/** A model's reply in a conversation. */
export interface AiReplyCall {
  kind: 'ai-reply';
  /** `{role: "user" | "assistant", content}`, oldest first. */
  messages: Record<string, unknown>[];
  instructions?: string;
  model?: string;
  maxTokens?: number;
  temperature?: number;
}

/** One of the given labels, or values by a JSON schema. */
export interface AiClassifyCall {
  kind: 'ai-classify';
  text: string;
  labels?: string[];
  schema?: Record<string, unknown>;
  instructions?: string;
  model?: string;
}

/** A voice message as text. */
export interface TranscribeCall {
  kind: 'transcribe';
  audio: { path: string; mimeType?: string; bytes?: number };
  language?: string;
  model?: string;
}

/** What a run can ask of the outside. */
export type Call = HttpCall | ShopifyCall | AiReplyCall | AiClassifyCall | TranscribeCall;

/** What a model was paid for. */
export interface AiUsage {
  inputTokens: number;
  outputTokens: number;
  model?: string;
  costMicros?: number;
}

/** What a call gives when it succeeds, by kind. */
export interface CallValues {
  /** `body` is parsed where the answer says that it is JSON, else text. An answer of any status is a success of the call. */
  http: { status: number; headers?: Record<string, string>; body?: unknown };
  /** `record: null`: there is none. */
  shopify: { record: Record<string, unknown> | null };
  'ai-reply': { text: string; usage?: AiUsage };
  /** `label` where labels were given, `values` where a schema was; both checked by the executor. */
  'ai-classify': { label?: string; values?: Record<string, unknown>; usage?: AiUsage };
  transcribe: { text: string; usage?: AiUsage };
}

/** What became of a call. `code` is one of ours, `message` a sentence for the person who built the flow. */
export type CallResult<V = unknown> = { ok: true; value?: V } | { ok: false; code: string; message: string };
