import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type TraceContext, traceContextOf } from './trace-context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What this request belongs to. */
    trace: TraceContext;
  }
}

/** Gives every request its ids, logs with them, and returns them to the caller. */
export function installRequestContext(app: FastifyInstance): void {
  // Each request gets its own object in the hook; the placeholder keeps the shape of requests stable.
  app.decorateRequest('trace', null as unknown as TraceContext);
  app.addHook('onRequest', (request, reply, done) => {
    request.trace = traceContextOf(request.raw, request.id);
    request.log = request.log.child({
      correlationId: request.trace.correlationId,
      traceId: request.trace.traceId,
    });
    reply.header('x-request-id', request.id);
    reply.header('x-correlation-id', request.trace.correlationId);
    done();
  });
}

/** What a job added on behalf of a request carries: its ids, and the merchant it acts for. */
export function jobMetaOf(request: FastifyRequest): {
  correlationId: string;
  traceparent: string;
  merchantId?: string;
} {
  const { correlationId, traceparent } = request.trace;
  const merchantId = request.maybePrincipal?.merchantId;
  return { correlationId, traceparent, ...(merchantId === undefined ? {} : { merchantId }) };
}
