import type { SafeClient, SafeRequest } from './create-safe-client.ts';

/**
 * A `fetch` that goes through a safe client, for libraries that take one. The answer is read whole before it is handed over, so
 * nothing of it is streamed; redirects are not followed.
 */
export function toFetch(client: SafeClient): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const headers = Object.fromEntries(
      [...request.headers].filter(
        ([name]) => !/^(content-length|accept-encoding|connection|host)$/i.test(name),
      ),
    );
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
    const {
      status,
      headers: answered,
      body,
    } = await client.request({
      method: request.method as SafeRequest['method'],
      url: request.url,
      headers,
      body: hasBody ? Buffer.from(await request.arrayBuffer()) : undefined,
      signal: request.signal,
    });
    const isEmpty = status === 204 || status === 205 || status === 304;
    return new Response(isEmpty ? null : new Uint8Array(body), { status, headers: answered });
  };
}
