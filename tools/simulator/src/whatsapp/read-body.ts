import type { IncomingMessage } from 'node:http';

/**
 * Reads a request's body as text. Says nothing more when the client goes away.
 *
 * @param done gets the text, or undefined as soon as it is longer than `limitBytes`.
 */
export function readBody(
  request: IncomingMessage,
  limitBytes: number,
  done: (body: string | undefined) => void,
): void {
  let first: Buffer | undefined;
  let chunks: Buffer[] | undefined;
  let length = 0;
  let isOver = false;
  request.on('data', (chunk: Buffer) => {
    if (isOver) return;
    length += chunk.length;
    if (length > limitBytes) {
      isOver = true;
      first = undefined;
      chunks = undefined;
      done(undefined);
      return;
    }
    if (first === undefined) first = chunk;
    else if (chunks === undefined) chunks = [first, chunk];
    else chunks.push(chunk);
  });
  request.on('end', () => {
    if (isOver) return;
    done((chunks ? Buffer.concat(chunks) : (first ?? Buffer.alloc(0))).toString('utf8'));
  });
}
