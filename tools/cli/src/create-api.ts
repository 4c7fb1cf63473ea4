import { CliError } from './cli-error.ts';

/** The HTTP API of one service. */
export interface Api {
  /** @returns the answer's `data`. @throws CliError with what the service says. */
  call<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, body?: unknown): Promise<T>;
}

const TIMEOUT_MS = 15_000;

/**
 * Creates the client.
 *
 * @param settings.url of the service.
 * @param settings.apiKey sent as bearer.
 * @param settings.merchantId acts for this merchant; needs an admin's key.
 */
export function createApi(settings: { url: string; apiKey: string; merchantId: string | undefined }): Api {
  const { url, apiKey, merchantId } = settings;
  return {
    async call<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, body?: unknown): Promise<T> {
      const answer = await send(`${url.replace(/\/$/, '')}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(merchantId !== undefined && { 'x-merchant-id': merchantId }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      let parsed: { success?: boolean; data?: T; error?: { code?: string; message?: string } } = {};
      try {
        parsed = JSON.parse(text) as typeof parsed;
      } catch {
        // What is not JSON says nothing beyond its status.
      }
      if (!answer.ok || parsed.success !== true)
        throw new CliError(
          `${method} ${path}: ${answer.status} ${parsed.error?.code ?? ''} ${parsed.error?.message ?? ''}`.trim(),
        );
      return parsed.data as T;
    },
  };
}

/** One request. @throws CliError where nobody answers. */
export async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    throw new CliError(`${new URL(url).origin} can't be reached: ${cause?.code ?? message}`);
  }
}
