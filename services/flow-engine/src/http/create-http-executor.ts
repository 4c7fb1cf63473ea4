import { type CodedError, isCodedError } from '@switchyard/errors';
import type { HttpCall } from '@switchyard/flows';
import { circuitOpen, type SharedBreaker } from '@switchyard/redis';
import type { SafeClient, SafeResponse } from '@switchyard/safe-http';
import type { CallContext, CallExecutor, CallResult, CallValues } from '../calls/call.ts';
import type { Bulkhead } from '../calls/create-bulkhead.ts';
import { httpHostFailing } from '../errors.ts';
import { putInSecrets } from '../secrets/put-in-secrets.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import { parseJson } from './parse-json.ts';

/** Redirects that are followed; each is checked like the first address. */
const MAX_REDIRECTS = 5;
/** Headers of an answer that a flow can use, at most. */
const MAX_HEADERS = 50;
const MAX_HEADER_CHARACTERS = 1000;

/** What {@link createHttpExecutor} needs. */
export interface HttpExecutorParts {
  client: SafeClient;
  /** One per merchant and host; counts calls that got no answer. */
  breaker: SharedBreaker;
  bulkhead: Bulkhead;
  /** The merchant's, for requests that name some. */
  secrets: Pick<SecretStore, 'reveal'>;
}

/**
 * Makes the executor of flows' HTTP requests. An answer of any status is a success; no answer in time is tried again; an address
 * inside a network, or an answer that is too long, never is.
 *
 * Each attempt carries the same `Idempotency-Key`, so that a server that knows it does the work once.
 */
export function createHttpExecutor(parts: HttpExecutorParts): CallExecutor<'http'> {
  const { client, breaker, bulkhead, secrets } = parts;

  async function ask(
    call: HttpCall,
    { merchantId, requestId, signal }: CallContext,
  ): Promise<CallResult<CallValues['http']>> {
    const { method, url, timeoutMs, json } = call;
    const own = Object.fromEntries(
      Object.entries(call.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const body = json === undefined ? call.body : JSON.stringify(json);
    const headers = {
      'user-agent': 'Switchyard-Flows/1',
      accept: 'application/json, text/*;q=0.9, */*;q=0.5',
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      'idempotency-key': requestId,
      ...own,
    };
    const key = `${merchantId}:${URL.parse(url)?.host ?? 'nowhere'}`.slice(0, 300);
    try {
      const answer = await bulkhead.run(key, () =>
        breaker.run(key, () =>
          client.request({ method, url, headers, body, timeoutMs, maxRedirects: MAX_REDIRECTS, signal }),
        ),
      );
      return readAnswer(answer);
    } catch (error) {
      // Nobody waits for a circuit without a limit: attempts are spent on it.
      if (isCodedError(error) && error.code === circuitOpen.code)
        throw httpHostFailing('the host has not answered for some time, and is left alone for a while', {
          cause: error,
        });
      if (isCodedError(error) && error.outcome === 'never') return refusal(error);
      throw error;
    }
  }

  return async (call, context) => {
    if (call.secrets === undefined) return ask(call, context);
    let revealed: Map<string, string>;
    try {
      revealed = await secrets.reveal(context.merchantId, Object.values(call.secrets));
    } catch (error) {
      if (isCodedError(error) && error.outcome === 'never') return refusal(error);
      throw error;
    }
    const filled = putInSecrets(call, revealed);
    if (!filled)
      return { ok: false, code: 'SECRET_MISPLACED', message: "a secret can't be part of a host's name" };
    return filled.hide(await ask(filled.call, context));
  };
}

/** Whether the host, and not the request, is what failed. */
export function isHostFailure(error: unknown): boolean {
  return isCodedError(error) && error.outcome === 'retry';
}

function refusal({ code, message }: CodedError) {
  return { ok: false as const, code, message };
}

function readAnswer({ status, headers, body }: SafeResponse): Awaited<ReturnType<CallExecutor<'http'>>> {
  const shown = Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name !== 'set-cookie')
      .slice(0, MAX_HEADERS)
      .map(([name, value]) => [name, value.slice(0, MAX_HEADER_CHARACTERS)]),
  );
  const text = body.toString('utf8');
  const isJson = /^application\/([\w.+-]*\+)?json\b/i.test(headers['content-type'] ?? '');
  if (!isJson || text.trim() === '') return { ok: true, value: { status, headers: shown, body: text } };
  try {
    return { ok: true, value: { status, headers: shown, body: parseJson(text) } };
  } catch {
    // Gateways answer errors with pages that they call JSON: the status says enough. A success must be what it says.
    if (status >= 400) return { ok: true, value: { status, headers: shown, body: text } };
    return {
      ok: false,
      code: 'HTTP_ANSWER_INVALID',
      message: `the answer (${status}) says that it is JSON, and is not`,
    };
  }
}
