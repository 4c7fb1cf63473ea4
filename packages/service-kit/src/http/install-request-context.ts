import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ChildLoggerOptions, Level, Logger } from 'pino';
import { createLazyLogger } from '../logging/create-lazy-logger.ts';
import { type TraceContext, traceContextOf } from './trace-context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What this request belongs to. */
    trace: TraceContext;
  }
  interface FastifyContextConfig {
    /**
     * A route that providers call by the thousand a second, and of whose answer they read the status: it carries nothing that browsers
     * should know, and ids only where it is an error.
     */
    isForProviders?: boolean;
  }
}

const traceOf = Symbol('trace context');

type TracedMessage = IncomingMessage & { [traceOf]?: TraceContext };

/**
 * Makes a request's logger, with its ids. Fastify asks for it before anything else happens to a request, so the ids
 * are worked out here and no second logger is needed. A route with a level of its own is one that mostly writes nothing.
 */
export function createRequestLogger(
  logger: Logger,
  bindings: object,
  options: ChildLoggerOptions,
  message: IncomingMessage,
): Logger {
  const { requestId } = bindings as { requestId: string };
  const trace = traceContextOf(message, requestId);
  (message as TracedMessage)[traceOf] = trace;
  const child = () =>
    logger.child({ requestId, correlationId: trace.correlationId, traceId: trace.traceId }, options);
  return options.level === undefined ? child() : createLazyLogger(options.level as Level, child);
}

/** Gives every request its ids and returns them to the caller; to a provider only with an error. */
export function installRequestContext(app: FastifyInstance): void {
  // Each request gets its own object in the hook; the placeholder keeps the shape of requests stable.
  app.decorateRequest('trace', null as unknown as TraceContext);
  app.addHook('onRequest', (request, reply, done) => {
    request.trace = (request.raw as TracedMessage)[traceOf] ?? traceContextOf(request.raw, request.id);
    if (!request.routeOptions.config.isForProviders) returnIds(request, reply);
    done();
  });
}

/** Tells the caller under which ids the request is found in the logs. */
export function returnIds(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  // What fails before its route is found has no trace yet.
  if (request.trace) reply.header('x-correlation-id', request.trace.correlationId);
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
