import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Called once per request, when its status is final. */
export type RequestDone = (request: FastifyRequest, reply: FastifyReply) => void;

/**
 * Calls back once for every answered request, also where the caller hung up before the answer.
 *
 * Fastify's own `onResponse` is silent about those, which would let a caller mutate without a trace.
 */
export function onRequestDone(app: FastifyInstance, callback: RequestDone): void {
  // A property of each request: a WeakSet would make every garbage collection slower under load.
  const called = Symbol('request done');
  app.decorateRequest(called, false);
  const once: RequestDone = (request, reply) => {
    const marked = request as FastifyRequest & { [called]: boolean };
    if (marked[called]) return;
    marked[called] = true;
    callback(request, reply);
  };
  app.addHook('onSend', (request, reply, payload, done) => {
    if (reply.raw.destroyed || reply.raw.closed) once(request, reply);
    else reply.raw.once('close', () => once(request, reply));
    done(null, payload);
  });
  app.addHook('onResponse', (request, reply, done) => {
    once(request, reply);
    done();
  });
}
