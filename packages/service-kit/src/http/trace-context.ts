import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What follows a request through jobs and services. */
export interface TraceContext {
  /** Names the whole conversation of calls and jobs that this request is part of. */
  correlationId: string;
  /** W3C trace context: the caller's trace, or a new one, with a span of this request. */
  traceparent: string;
  /** The 32 hex digits of the trace alone. */
  traceId: string;
}

const saneId = /^[\w.:/+=-]{1,128}$/;

function headerId(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  // A header sent twice arrives joined by a comma, which is not a sane id.
  return typeof value === 'string' && saneId.test(value) ? value : undefined;
}

/** The caller's `x-request-id` if it is sane, else a new id. */
export function requestIdOf(request: IncomingMessage): string {
  return headerId(request, 'x-request-id') ?? randomUUID();
}

/**
 * Reads a W3C `traceparent` header.
 *
 * @returns trace id, parent's span id and flags, or undefined where the header must be ignored.
 */
export function parseTraceparent(
  header: unknown,
): { traceId: string; parentId: string; flags: string } | undefined {
  if (typeof header !== 'string' || header.length > 512) return undefined;
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header);
  if (!match) return undefined;
  const [, version, traceId = '', parentId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  return { traceId, parentId, flags };
}

/** Works out what a request belongs to. Ids that are not sane are replaced, never refused. */
export function traceContextOf(request: IncomingMessage, requestId: string): TraceContext {
  const parent = parseTraceparent(request.headers.traceparent);
  const traceId = parent?.traceId ?? randomUUID().replaceAll('-', '');
  return {
    correlationId: headerId(request, 'x-correlation-id') ?? requestId,
    traceparent: `00-${traceId}-${nextSpanId()}-${parent?.flags ?? '01'}`,
    traceId,
  };
}

/** Half of a span's id is the process's, the other half counts: that is as unique within a trace as chance, and costs nothing. */
const processHalf = randomUUID().slice(0, 8);
let spans = 0;

function nextSpanId(): string {
  spans = (spans % 0xffff_ffff) + 1;
  return processHalf + spans.toString(16).padStart(8, '0');
}
