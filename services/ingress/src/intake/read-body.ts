import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { bodyMalformed, bodyTooLarge, requestTimedOut } from '@switchyard/service-kit';
import { intakeBusy } from '../errors.ts';
import type { BodyBudget } from './create-body-budget.ts';

/** A provider sends 3 MB in well under a second; whoever takes longer only holds memory. */
const READ_WITHIN_MS = 10_000;
const RETRY_AFTER_MS = 1000;

/** A body's raw bytes and what they hold of the budget. */
export interface ReadBody {
  readonly bytes: Buffer;
  /** To be called once the body is no longer needed. */
  release(): void;
}

/**
 * Reads a body whole, within a limit and a budget. The budget is taken as bytes arrive, not as a header promises them, so that
 * slow or silent clients can't use it up.
 *
 * @throws CodedError BODY_TOO_LARGE, BODY_MALFORMED (shorter than stated), REQUEST_TIMED_OUT, INTAKE_BUSY
 */
export function readBody(
  headers: IncomingMessage['headers'],
  stream: Readable,
  options: { limitBytes: number; budget: BodyBudget },
): Promise<ReadBody> {
  const { limitBytes, budget } = options;
  const { 'content-length': length } = headers;
  const stated = length === undefined ? undefined : Number(length);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let timer: NodeJS.Timeout | undefined;
    let received = 0;
    let held = 0;
    const release = () => {
      budget.giveBack(held);
      held = 0;
    };
    const end = (act: () => void) => {
      clearTimeout(timer);
      stream.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      act();
    };
    const fail = (error: Error) =>
      end(() => {
        release();
        // What is still to come is dropped as it arrives.
        stream.on('error', () => undefined).resume();
        reject(error);
      });
    const onData = (chunk: Buffer) => {
      received += chunk.length;
      if (received > limitBytes)
        return fail(bodyTooLarge('the body is too large', { details: { limitBytes } }));
      if (!budget.take(chunk.length))
        return fail(intakeBusy('too many webhooks at once; try again', { delayMs: RETRY_AFTER_MS }));
      held += chunk.length;
      chunks.push(chunk);
      // Most webhooks come in one piece, and whoever sends none holds nothing: the server's own limit is enough for them.
      if (received !== stated) timer ??= setTimeout(onLate, READ_WITHIN_MS);
    };
    const onLate = () => fail(requestTimedOut('the body took too long to arrive'));
    const onEnd = () => {
      if (stated !== undefined && stated !== received)
        return fail(bodyMalformed('the body is not as long as its header says'));
      end(() =>
        resolve({ bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, received), release }),
      );
    };
    const onGone = () => fail(bodyMalformed('the body ended before it was complete'));
    stream.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}
