import { isCodedError } from '@switchyard/errors';
import { type SafeClient, toFetch } from '@switchyard/safe-http';
import OpenAI, { toFile } from 'openai';
import { estimateTokens } from './fit-history.ts';
import type { AiProvider } from './provider-store.ts';

/** A message to a model. */
export interface PromptMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** A request for one completion. */
export interface ChatRequest {
  model: string;
  messages: readonly PromptMessage[];
  maxTokens: number;
  temperature?: number | undefined;
  /** The answer is to be JSON of this schema. */
  schema?: Record<string, unknown> | undefined;
}

/** What a model answered, and what it cost. */
export interface ChatAnswer {
  text: string;
  inputTokens: number;
  outputTokens: number;
}

/** Why a provider gave no answer; each kind leads on to the next provider. */
export class ProviderFailure extends Error {
  /** `away`: no answer in time, or 5xx; `limited`: 429; `refused`: any other 4xx; `babble`: an answer that is none. */
  readonly kind: 'away' | 'limited' | 'refused' | 'babble';
  readonly status: number | undefined;

  constructor(
    kind: ProviderFailure['kind'],
    message: string,
    options: { status?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.status = options.status;
  }
}

/** One provider, as a client. */
export interface ChatClient {
  /** @throws ProviderFailure, or the signal's reason. */
  complete(request: ChatRequest, options: CallLimits): Promise<ChatAnswer>;
  /** @throws ProviderFailure, or the signal's reason. */
  transcribe(
    request: {
      model: string;
      audio: Buffer;
      fileName: string;
      mimeType: string;
      language?: string | undefined;
    },
    options: CallLimits,
  ): Promise<{ text: string; seconds: number | undefined }>;
}

interface CallLimits {
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * Makes the client of a provider that speaks OpenAI's protocol.
 *
 * @param http reads no more than it allows, so that a model that never stops costs no memory.
 */
export function createChatClient(provider: AiProvider, http: SafeClient): ChatClient {
  const client = new OpenAI({
    baseURL: provider.baseUrl,
    // Some need none; the library wants one.
    apiKey: provider.apiKey ?? 'none',
    // Else the library looks for them in the environment.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: 'off',
    fetch: toFetch(http),
  });

  return {
    async complete({ model, messages, maxTokens, temperature, schema }, limits) {
      const answer = await guarded(limits, (options) =>
        client.chat.completions.create(
          {
            model,
            messages: messages.map(({ role, content }) => ({ role, content })),
            [provider.tokenLimitParameter]: maxTokens,
            ...(temperature === undefined ? {} : { temperature }),
            ...(schema === undefined
              ? {}
              : {
                  response_format: {
                    type: 'json_schema',
                    json_schema: { name: 'answer', schema, strict: false },
                  },
                }),
          },
          options,
        ),
      );
      return readCompletion(answer, messages);
    },
    async transcribe({ model, audio, fileName, mimeType, language }, limits) {
      const file = await toFile(audio, fileName, { type: mimeType });
      const answer: unknown = await guarded(limits, (options) =>
        client.audio.transcriptions.create(
          { model, file, response_format: 'json', ...(language === undefined ? {} : { language }) },
          options,
        ),
      );
      const { text, duration, usage } = (answer ?? {}) as {
        text?: unknown;
        duration?: unknown;
        usage?: { seconds?: unknown };
      };
      if (typeof text !== 'string')
        throw new ProviderFailure('babble', 'answered something that is no transcription');
      const seconds = Number(usage?.seconds ?? duration);
      return { text: text.trim(), seconds: Number.isFinite(seconds) ? seconds : undefined };
    },
  };
}

function readCompletion(answer: unknown, messages: readonly PromptMessage[]): ChatAnswer {
  const { choices, usage } = (answer ?? {}) as {
    choices?: { message?: { content?: unknown; refusal?: unknown }; finish_reason?: unknown }[];
    usage?: { prompt_tokens?: unknown; completion_tokens?: unknown };
  };
  const choice = Array.isArray(choices) ? choices[0] : undefined;
  const text = choice?.message?.content;
  if (typeof choice?.message?.refusal === 'string' && choice.message.refusal !== '')
    throw new ProviderFailure('refused', 'declined to answer');
  if (choice?.finish_reason === 'content_filter') throw new ProviderFailure('refused', 'filtered its answer');
  if (typeof text !== 'string')
    throw new ProviderFailure('babble', 'answered something that is no completion');
  if (choice?.finish_reason === 'length')
    throw new ProviderFailure('babble', 'did not come to an end within its tokens');
  if (text.trim() === '') throw new ProviderFailure('babble', 'answered nothing');
  const asked = messages.reduce((sum, { content }) => sum + estimateTokens(content), 0);
  return {
    text: text.trim(),
    inputTokens: countOf(usage?.prompt_tokens) ?? asked,
    outputTokens: countOf(usage?.completion_tokens) ?? estimateTokens(text),
  };
}

function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** Runs a call under one time limit, and says what went wrong in our terms. */
async function guarded<T>(
  { timeoutMs, signal }: CallLimits,
  call: (options: { signal: AbortSignal; timeout: number }) => PromiseLike<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    // The library's own limit is for the headers alone.
    return await call({ signal: AbortSignal.any([signal, timeout]), timeout: timeoutMs + 1000 });
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted)
      throw new ProviderFailure('away', `gave no answer within ${timeoutMs} ms`, { cause: error });
    throw explain(error);
  }
}

function explain(error: unknown): ProviderFailure {
  const cause = isCodedError(error) ? error : (error as Error).cause;
  if (isCodedError(cause)) {
    const kind =
      cause.code === 'RESPONSE_TOO_LARGE' ? 'babble' : cause.outcome === 'never' ? 'refused' : 'away';
    return new ProviderFailure(kind, cause.message, { cause });
  }
  const { status, message } = error as { status?: number; message: string };
  if (status === undefined) {
    const isParse = error instanceof SyntaxError;
    return new ProviderFailure(
      isParse ? 'babble' : 'away',
      isParse ? 'answered something that is no JSON' : 'gave no answer',
      {
        cause: error,
      },
    );
  }
  const kind = status === 429 ? 'limited' : status >= 500 || status === 408 ? 'away' : 'refused';
  // What providers say may quote the request or the key; people see the status, operators the rest.
  return new ProviderFailure(kind, `answered ${status}`, { status, cause: new Error(message.slice(0, 500)) });
}
