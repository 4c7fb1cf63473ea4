import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import { overloaded } from '../errors.ts';
import type { HttpConfig } from './http-fields.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** An operations route: never shed, not in the request log. */
    isProbe?: boolean;
  }
}

/** When a shed caller should come back. */
const retryAfterMs = 2_000;

/** Answers 503 OVERLOADED with `Retry-After` while the process is over one of its limits. Probes always pass. */
export async function shedLoad(app: FastifyInstance, config: HttpConfig): Promise<void> {
  await app.register(underPressure, {
    maxEventLoopDelay: config.maxEventLoopDelayMs,
    maxEventLoopUtilization: config.maxEventLoopUtilization,
    // Utilization since the start would hardly move after a day.
    eventLoopUtilizationMode: 'interval',
    maxHeapUsedBytes: config.maxHeapBytes,
    maxRssBytes: config.maxRssBytes,
    sampleInterval: 1_000,
    async pressureHandler(request, _reply, kind) {
      if (request.routeOptions.config.isProbe) return;
      throw overloaded('the service is overloaded; try again', { delayMs: retryAfterMs, details: { kind } });
    },
  });
}
