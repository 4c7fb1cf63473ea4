/**
 * Reads server-sent events.
 *
 * @param onEvent gets every event's data, parsed as JSON.
 * @returns once the stream is open; reading goes on until the signal aborts it.
 * @throws Error when the server does not answer with a stream.
 */
export async function readEventStream(
  url: string,
  onEvent: (data: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal });
  if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status}`);
  const chunks = response.body.pipeThrough(new TextDecoderStream());
  void (async () => {
    let pending = '';
    for await (const chunk of chunks) {
      pending += chunk;
      for (let end = pending.indexOf('\n\n'); end >= 0; end = pending.indexOf('\n\n')) {
        const data = pending
          .slice(0, end)
          .split('\n')
          .filter((line) => line.startsWith('data:'))
          .map((line) => line.slice(5).trim())
          .join('\n');
        pending = pending.slice(end + 2);
        if (data !== '') onEvent(JSON.parse(data));
      }
    }
    // The end of the stream, and an aborted one, need no attention: whoever waits has a time limit.
  })().catch(() => undefined);
}
