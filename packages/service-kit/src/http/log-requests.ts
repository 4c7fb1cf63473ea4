import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics/create-metrics.ts';
import { onRequestDone } from './on-request-done.ts';

/** Writes one line per request and measures it. Lines name the route's pattern: a path can hold a phone number. */
export function logRequests(app: FastifyInstance, metrics: Metrics): void {
  onRequestDone(app, (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched';
    const status = reply.statusCode;
    const durationMs = reply.elapsedTime;
    metrics.observeHttp({ method: request.method, route, status }, durationMs / 1_000);
    const level = request.routeOptions.config.isProbe ? 'debug' : 'info';
    request.log[level](
      {
        method: request.method,
        route,
        status,
        durationMs: Math.round(durationMs * 10) / 10,
        merchantId: request.maybePrincipal?.merchantId,
      },
      'request answered',
    );
  });
}
