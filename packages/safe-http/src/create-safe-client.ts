import { type CodedError, isCodedError } from '@switchyard/errors';
import { Agent, type Dispatcher, request as send } from 'undici';
import { checkHeaders } from './check-headers.ts';
import { checkUrl, isAllowedInside, type UrlPolicy } from './check-url.ts';
import {
  answerTimedOut,
  redirectRefused,
  requestFailed,
  responseEncoded,
  responseTooLarge,
} from './errors.ts';
import { lookupPublic } from './lookup-public.ts';

/** What to ask. */
export interface SafeRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Buffer | undefined;
  signal?: AbortSignal | undefined;
  /** Time for all of it, redirects included; the client's own by default, which is also the longest. */
  timeoutMs?: number | undefined;
  /** Longest answer that is read; the client's own by default. */
  maxBytes?: number | undefined;
  /** Redirects that are followed, each checked like the first address; none by default. */
  maxRedirects?: number | undefined;
}

/** A whole answer, of whatever status. */
export interface SafeResponse {
  status: number;
  /** Names in lower case; of a repeated one, the values joined by comma. */
  headers: Record<string, string>;
  body: Buffer;
  /** Where it came from, after redirects. */
  url: string;
}

/** HTTP to addresses that others chose. */
export interface SafeClient {
  /**
   * Asks and reads the whole answer.
   *
   * @throws ADDRESS_REFUSED, HEADER_REFUSED, REDIRECT_REFUSED, RESPONSE_TOO_LARGE, RESPONSE_ENCODED (never); REQUEST_FAILED,
   * ANSWER_TIMED_OUT (retry); the caller's own reason when its signal was aborted.
   */
  request(request: SafeRequest): Promise<SafeResponse>;
  close(): Promise<void>;
}

/** Settings of {@link createSafeClient}. */
export interface SafeClientOptions extends UrlPolicy {
  timeoutMs: number;
  maxBytes: number;
  /** Connections per origin, 16 by default. */
  connections?: number;
}

/** Makes a client. Nothing is ever read beyond `maxBytes`, decompressed, or kept: an endless answer costs no memory. */
export function createSafeClient(options: SafeClientOptions): SafeClient {
  const connect = { timeout: Math.min(options.timeoutMs, 10_000) };
  const common = {
    connections: options.connections ?? 16,
    // The time limit is one for the whole; it aborts.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4000,
    maxHeaderSize: 32 * 1024,
  };
  const guarded = new Agent({ ...common, connect: { ...connect, lookup: lookupPublic } });
  const open = new Agent({ ...common, connect });

  async function ask(asked: SafeRequest, signal: AbortSignal): Promise<SafeResponse> {
    const maxBytes = Math.min(asked.maxBytes ?? options.maxBytes, options.maxBytes);
    let url = checkUrl(asked.url, options);
    let { method, body } = asked;
    let headers = checkHeaders(asked.headers ?? {});
    for (let hop = 0; ; hop += 1) {
      const answer = await send(url, {
        method,
        headers: { ...headers, 'accept-encoding': 'identity' },
        body: body ?? null,
        dispatcher: isAllowedInside(url, options) ? open : guarded,
        signal,
      });
      const location = readLocation(answer);
      if (location === undefined || (asked.maxRedirects ?? 0) === 0) {
        return {
          status: answer.statusCode,
          headers: flatten(answer.headers),
          body: await readBody(answer, maxBytes),
          url: url.href,
        };
      }
      answer.body.on('error', () => undefined).destroy();
      if (hop >= (asked.maxRedirects ?? 0)) throw redirectRefused('too many redirects');
      const next = checkUrl(URL.parse(location, url.href)?.href ?? location, options);
      if (url.protocol === 'https:' && next.protocol === 'http:')
        throw redirectRefused('a redirect from https to http');
      if (next.origin !== url.origin) headers = withoutCredentials(headers);
      if (answer.statusCode === 303 || (method === 'POST' && answer.statusCode < 303)) {
        method = method === 'HEAD' ? 'HEAD' : 'GET';
        body = undefined;
        headers = withoutContent(headers);
      }
      url = next;
    }
  }

  return {
    async request(asked) {
      const timeoutMs = Math.min(asked.timeoutMs ?? options.timeoutMs, options.timeoutMs);
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        return await ask(asked, asked.signal ? AbortSignal.any([asked.signal, timeout]) : timeout);
      } catch (error) {
        asked.signal?.throwIfAborted();
        if (timeout.aborted) throw answerTimedOut(`no complete answer within ${timeoutMs} ms`);
        throw toCoded(error);
      }
    },
    close: async () => void (await Promise.all([guarded.close(), open.close()])),
  };
}

const redirects = new Set([301, 302, 303, 307, 308]);

function readLocation(answer: Dispatcher.ResponseData): string | undefined {
  const { location } = answer.headers;
  return redirects.has(answer.statusCode) && typeof location === 'string' ? location : undefined;
}

async function readBody(answer: Dispatcher.ResponseData, maxBytes: number): Promise<Buffer> {
  const tooLarge = () =>
    responseTooLarge(`the answer is longer than ${maxBytes} bytes`, { details: { maxBytes } });
  const refuse = (error: CodedError): never => {
    answer.body.on('error', () => undefined).destroy();
    throw error;
  };
  const { 'content-encoding': encoding, 'content-length': length } = answer.headers;
  if (encoding !== undefined && encoding !== 'identity' && encoding !== '')
    refuse(
      responseEncoded(`the answer is encoded as ${String(encoding).slice(0, 64)}, which was not asked for`),
    );
  if (Number(length ?? 0) > maxBytes) refuse(tooLarge());
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function flatten(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

/** Another origin must not learn what was meant for the first: any header but the plainest may be a key. */
const withoutCredentials = (headers: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) =>
      /^(accept|accept-language|content-type|user-agent)$/i.test(name),
    ),
  );
const withoutContent = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !/^content-/i.test(name)));

/** Errors of the connection wrap each other; one of ours may be inside, from the look-up. */
function toCoded(error: unknown): CodedError {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth += 1) {
    if (isCodedError(each)) return each;
    const inner = each instanceof AggregateError ? each.errors.find(isCodedError) : undefined;
    if (inner) return inner as CodedError;
  }
  const { code, message } = error as { code?: string; message?: string };
  const reason = [code, message].filter(Boolean).join(': ').slice(0, 300);
  return requestFailed(`no answer (${reason || 'connection lost'})`, { cause: error });
}
