import { type Dispatcher, Pool } from 'undici';
import { type Answer, classifyAnswer } from './classify-answer.ts';

/**
 * How a call ended. `not-sent`: no byte of the request left this process; `isOurs` when we decided so, and the provider is not to
 * blame. `tookMs` is the time until then, `waitedMs` the part of it before its request was written: for a connection, if there is one.
 */
export type CallResult = ({ kind: 'not-sent'; cause: string; isOurs?: true } | Answer) & {
  tookMs: number;
  waitedMs?: number;
};

/** One request to send. */
export interface SendCall {
  phoneNumberId: string;
  accessToken: string;
  /** The JSON body, already text. */
  body: string;
}

/** The Cloud API's sending endpoint. */
export interface CloudApi {
  /** Never throws: every end is a {@link CallResult}. */
  send(call: SendCall): Promise<CallResult>;
  close(): Promise<void>;
}

/** How to reach it. */
export interface CloudApiOptions {
  /** Base address, such as `https://graph.facebook.com`; a path is kept. */
  url: string;
  version: string;
  timeoutMs: number;
  /** Connections kept open at most: as many as calls run at a time. */
  connections: number;
}

const BODY_LIMIT_BYTES = 256 * 1024;

/** Connects to the Cloud API: keep-alive connections to one origin, one request on each at a time. */
export function createCloudApi({ url, version, timeoutMs, connections }: CloudApiOptions): CloudApi {
  const base = new URL(url);
  const pool = new Pool(base.origin, {
    connections,
    pipelining: 1,
    // Shorter than any server keeps one: a request written to a connection that is just being closed is parked.
    keepAliveTimeout: 4000,
    connect: { timeout: Math.min(timeoutMs, 10_000) },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const prefix = `${base.pathname.replace(/\/$/, '')}/${version}/`;
  return {
    send: ({ phoneNumberId, accessToken, body }) =>
      call(pool, timeoutMs, {
        method: 'POST',
        path: `${prefix}${encodeURIComponent(phoneNumberId)}/messages`,
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body,
      }),
    close: () => pool.close(),
  };
}

/**
 * Makes one request and tells how it ended. undici calls `onRequestStart` right before it writes to the socket, and writes
 * nothing when the request is aborted there: an error before that call is the proof that nothing was sent.
 */
function call(pool: Pool, timeoutMs: number, request: Dispatcher.DispatchOptions): Promise<CallResult> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let waitedMs: number | undefined;
    let controller: Dispatcher.DispatchController | undefined;
    let isDone = false;
    let status = 0;
    let bytes = 0;
    const chunks: Buffer[] = [];

    const finish = (end: { kind: 'not-sent'; cause: string } | Answer) => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      const tookMs = performance.now() - startedAt;
      resolve({ ...end, tookMs, ...(waitedMs === undefined ? {} : { waitedMs }) });
    };
    const breakOff = (cause: string) => {
      finish(controller ? { kind: 'unknown', cause } : { kind: 'not-sent', cause });
      controller?.abort(new Error(cause));
    };
    const timer = setTimeout(() => breakOff('HTTP time-out'), timeoutMs);

    try {
      pool.dispatch(request, {
        onRequestStart(started) {
          // Given up while it waited for a connection: aborting here keeps it from being written.
          if (isDone) started.abort(new Error('given up before it was written'));
          else {
            controller = started;
            waitedMs = performance.now() - startedAt;
          }
        },
        onResponseStart(_controller, statusCode) {
          status = statusCode;
        },
        onResponseData(_controller, chunk) {
          bytes += chunk.length;
          if (bytes > BODY_LIMIT_BYTES) breakOff('the answer is too long');
          else chunks.push(chunk);
        },
        onResponseEnd() {
          finish(classifyAnswer(status, Buffer.concat(chunks).toString('utf8')));
        },
        onResponseError(_controller, error) {
          breakOff(describe(error));
        },
      });
    } catch (error) {
      breakOff(describe(error as Error));
    }
  });
}

function describe(error: Error & { code?: string }): string {
  return error.code ? `${error.code}: ${error.message}` : error.message;
}
