import { lookupPublic } from '@switchyard/safe-http';
import { Agent, request } from 'undici';
import { checkEndpointUrl } from './check-endpoint-url.ts';

/** How one attempt ended. */
export interface AttemptResult {
  /** The endpoint's answer, if there was one. */
  status: number | undefined;
  /** Why there was none, in a sentence without the URL's secrets. */
  error: string | undefined;
  /** What `Retry-After` asked for. */
  retryAfterMs: number | undefined;
  durationMs: number;
}

/** Posts to merchants' endpoints. */
export interface WebhookClient {
  /** Never throws: whatever happens is a result. Redirects are not followed. */
  post(
    url: string,
    headers: Record<string, string>,
    body: string,
    signal: AbortSignal,
  ): Promise<AttemptResult>;
  close(): Promise<void>;
}

/** Answers are read so that the connection can be used again, but not beyond this. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Makes the client; endpoints in private networks are refused unless allowed. */
export function createWebhookClient(options: {
  timeoutMs: number;
  allowPrivateNetworks: boolean;
}): WebhookClient {
  const { timeoutMs, allowPrivateNetworks } = options;
  const agent = new Agent({
    connections: 16,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: {
      timeout: Math.min(timeoutMs, 5000),
      ...(allowPrivateNetworks ? {} : { lookup: lookupPublic }),
    },
  });
  return {
    async post(url, headers, body, signal) {
      const startedAt = performance.now();
      const durationMs = () => Math.round(performance.now() - startedAt);
      try {
        checkEndpointUrl(url, allowPrivateNetworks);
        const answer = await request(url, {
          method: 'POST',
          headers,
          body,
          dispatcher: agent,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        });
        await answer.body.dump({ limit: MAX_ANSWER_BYTES });
        return {
          status: answer.statusCode,
          error: undefined,
          retryAfterMs: readRetryAfter(answer.headers['retry-after']),
          durationMs: durationMs(),
        };
      } catch (error) {
        return {
          status: undefined,
          error: explain(error),
          retryAfterMs: undefined,
          durationMs: durationMs(),
        };
      }
    },
    close: () => agent.close(),
  };
}

function explain(error: unknown): string {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  if (name === 'TimeoutError') return 'no answer in time';
  if (name === 'AbortError') return 'aborted by shutdown';
  return `${code ?? name ?? 'error'}: ${message ?? ''}`.slice(0, 500);
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function readRetryAfter(header: string | string[] | undefined): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now());
}
