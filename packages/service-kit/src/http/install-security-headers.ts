import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

/**
 * Sends the headers that keep browsers from what a page of ours never does, on every answer of every route but those
 * for providers.
 *
 * Fastify's own plugin hangs a function on each request and makes its hook asynchronous, for webhooks too: under
 * load the young generation's garbage outlived its requests, and pauses of 20 ms followed (Node 24, helmet 13).
 */
export function installSecurityHeaders(app: FastifyInstance): void {
  const setHeaders = helmet({
    // TLS ends at the edge: on plain HTTP this directive would break the pages of /docs.
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.isForProviders) return done();
    setHeaders(request.raw, reply.raw, (error) => done(error as Error | undefined));
  });
}
