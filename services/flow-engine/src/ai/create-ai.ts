import { type CodedError, isCodedError } from '@switchyard/errors';
import { circuitOpen, type SharedBreaker } from '@switchyard/redis';
import type { SafeClient } from '@switchyard/safe-http';
import type { Logger } from 'pino';
import type { AiUsage } from '../calls/call.ts';
import { aiAnswerInvalid, aiNotConfigured, aiRefused, aiUnavailable } from '../errors.ts';
import type { AiBudgets } from './ai-budgets.ts';
import {
  type ChatAnswer,
  type ChatClient,
  createChatClient,
  type PromptMessage,
  ProviderFailure,
} from './chat-client.ts';
import type { AiProvider, ProviderStore } from './provider-store.ts';
import type { UsageStore } from './usage-store.ts';

/** A request to whichever provider answers first, in the merchant's order. */
export interface AiRequest {
  merchantId: string;
  /** For the first provider; those after it use their own. */
  model?: string | undefined;
  signal: AbortSignal;
}

/** AI by a merchant's providers, with fall-back. */
export interface Ai {
  /** @throws AI_NOT_CONFIGURED, AI_REFUSED, AI_ANSWER_INVALID, AI_BUDGET_SPENT (never), AI_UNAVAILABLE (retry) */
  complete(
    request: AiRequest & {
      purpose: 'reply' | 'classify';
      messages: readonly PromptMessage[];
      maxTokens: number;
      temperature?: number | undefined;
      schema?: Record<string, unknown> | undefined;
    },
  ): Promise<{ text: string; usage: AiUsage }>;
  /** @throws as {@link complete} */
  transcribe(
    request: AiRequest & { audio: Buffer; fileName: string; mimeType: string; language?: string | undefined },
  ): Promise<{ text: string; usage: AiUsage }>;
}

/** What {@link createAi} needs. */
export interface AiParts {
  providers: ProviderStore;
  usage: UsageStore;
  budgets: Pick<AiBudgets, 'check'>;
  /** One per provider; counts time-outs, 5xx and answers that are none. */
  breaker: SharedBreaker;
  /** For addresses that merchants chose, and for those that operators chose. */
  http: { guarded: SafeClient; trusted: SafeClient };
  /** For one provider's answer. */
  timeoutMs: number;
  /** For all of them together. */
  totalMs: number;
  logger: Logger;
}

const DEFAULT_TRANSCRIPTION_MODEL = 'whisper-1';

/** Makes the AI of a process. Each provider is asked once; who fails leaves the rest of the time to the next. */
export function createAi(parts: AiParts): Ai {
  const { providers, usage, budgets, breaker, http, timeoutMs, totalMs, logger } = parts;
  /** Providers that do not know response formats, so that each is asked in vain once. */
  const withoutFormats = new Set<string>();

  async function askInOrder<T>(
    { merchantId, signal }: AiRequest,
    ask: (
      provider: AiProvider,
      client: ChatClient,
      limits: { timeoutMs: number; signal: AbortSignal },
      isFirst: boolean,
    ) => Promise<T>,
  ): Promise<T> {
    const usable = await providers.usable(merchantId);
    if (usable.length === 0) throw aiNotConfigured('the merchant has no AI provider that is turned on');
    await budgets.check(merchantId);
    const startedAt = performance.now();
    const failures: { name: string; failure: ProviderFailure }[] = [];
    for (const [at, provider] of usable.entries()) {
      const leftMs = Math.floor(totalMs - (performance.now() - startedAt));
      if (leftMs < 1000 && at > 0) break;
      const client = createChatClient(provider, provider.isTrusted ? http.trusted : http.guarded);
      const limits = { timeoutMs: Math.max(1, Math.min(timeoutMs, leftMs)), signal };
      try {
        return await breaker.run(provider.id, () => ask(provider, client, limits, at === 0));
      } catch (error) {
        const failure = asFailure(error);
        failures.push({ name: provider.name, failure });
        logger.warn(
          {
            merchantId,
            providerId: provider.id,
            kind: failure.kind,
            status: failure.status,
            err: failure.cause ?? failure,
          },
          'an AI provider gave no answer',
        );
      }
    }
    throw summarise(failures);
  }

  async function record(provider: AiProvider, used: Parameters<UsageStore['add']>[1]): Promise<AiUsage> {
    const { model, inputTokens, outputTokens } = used;
    const costMicros = await usage.add(provider, used);
    return { inputTokens, outputTokens, model, costMicros };
  }

  return {
    complete(request) {
      const { purpose, messages, maxTokens, temperature, schema } = request;
      return askInOrder(request, async (provider, client, limits, isFirst) => {
        const model = (isFirst ? request.model : undefined) ?? provider.model;
        const chat = { model, messages, maxTokens, temperature };
        const ask = (format: boolean) => client.complete(format ? { ...chat, schema } : chat, limits);
        const key = `${provider.id}:${model}`;
        let answer: ChatAnswer;
        try {
          answer = await ask(!withoutFormats.has(key)).catch((error) => {
            const isFormat =
              error instanceof ProviderFailure && (error.status === 400 || error.status === 422);
            if (schema === undefined || !isFormat) throw error;
            // The prompt says the same in words.
            withoutFormats.add(key);
            if (withoutFormats.size > 10_000) withoutFormats.clear();
            return ask(false);
          });
        } catch (error) {
          await record(provider, { ...nothingUsed, purpose, model, outcome: 'failed' });
          throw error;
        }
        const { text, inputTokens, outputTokens } = answer;
        const used = {
          ...nothingUsed,
          purpose,
          model,
          outcome: 'answered' as const,
          inputTokens,
          outputTokens,
        };
        return { text, usage: await record(provider, used) };
      });
    },
    transcribe(request) {
      const { audio, fileName, mimeType, language } = request;
      return askInOrder(request, async (provider, client, limits, isFirst) => {
        const model =
          (isFirst ? request.model : undefined) ?? provider.transcriptionModel ?? DEFAULT_TRANSCRIPTION_MODEL;
        const base = { ...nothingUsed, purpose: 'transcribe' as const, model };
        try {
          const { text, seconds } = await client.transcribe(
            { model, audio, fileName, mimeType, language },
            limits,
          );
          const used = { ...base, outcome: 'answered' as const, audioSeconds: seconds ?? 0 };
          return { text, usage: await record(provider, used) };
        } catch (error) {
          if (error instanceof ProviderFailure) await record(provider, { ...base, outcome: 'failed' });
          throw error;
        }
      });
    },
  };
}

const nothingUsed = { inputTokens: 0, outputTokens: 0, audioSeconds: 0 };

/** Whether it counts against a provider: it answered nothing that can be used, and will not for others either. */
export function isProviderFailure(error: unknown): boolean {
  return error instanceof ProviderFailure && (error.kind === 'away' || error.kind === 'babble');
}

/** @throws what is no failure of a provider: our own shutdown, a database that is away. */
function asFailure(error: unknown): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  if (isCodedError(error) && error.code === circuitOpen.code)
    return new ProviderFailure('away', 'has failed for some time, and is left alone for a while', {
      cause: error,
    });
  throw error;
}

function summarise(failures: readonly { name: string; failure: ProviderFailure }[]): CodedError {
  const told = failures
    .map(({ name, failure }) => `${name}: ${failure.message}`)
    .join('; ')
    .slice(0, 900);
  const kinds = new Set(failures.map(({ failure }) => failure.kind));
  const cause = failures.at(-1)?.failure;
  if (kinds.has('away') || kinds.has('limited'))
    return aiUnavailable(`no AI provider answered (${told})`, { cause });
  if (kinds.has('babble'))
    return aiAnswerInvalid(`no AI provider gave an answer that can be used (${told})`, { cause });
  return aiRefused(`no AI provider took the request (${told})`, { cause });
}
