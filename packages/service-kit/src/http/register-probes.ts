import { createHash, timingSafeEqual } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { unauthenticated } from '../errors.ts';
import type { Metrics } from '../metrics/create-metrics.ts';
import type { ServiceApp } from './build-service-app.ts';
import type { HealthSource, LiveStatus } from './health-source.ts';
import { within } from './within.ts';

const count = Type.Integer({ minimum: 0 });

/** The answer of `GET /health` (not in the envelope: its shape is fixed). */
export const healthSchema = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('unavailable')]),
  timestamp: Type.String({ description: 'ISO 8601' }),
  uptime: Type.Number({ description: 'seconds' }),
  environment: Type.String(),
  redis: Type.Object({ connected: Type.Boolean() }),
  queues: Type.String({ description: '`healthy`, or what is wrong' }),
  totals: Type.Object({ waiting: count, active: count, completed: count, failed: count, delayed: count }),
});

const liveSchema = Type.Object({ status: Type.String(), reason: Type.Optional(Type.String()) });

const readySchema = Type.Object({
  status: Type.String(),
  checks: Type.Record(Type.String(), Type.Boolean()),
});

const noTotals = { waiting: 0, active: 0, completed: 0, failed: 0, delayed: 0 };

/** How long a dependency may take to answer a probe. */
const checkTimeoutMs = 1_000;

/** What the probes show. */
export interface ProbeSettings {
  environment: string;
  health: HealthSource;
  live: () => LiveStatus;
  metrics: Metrics;
  metricsToken: string | undefined;
  isShuttingDown: () => boolean;
}

/**
 * Adds `/health`, `/live`, `/ready` and `/metrics`. They need no token and are never shed.
 *
 * - `/health` is for people: 200 with `ok` or `degraded`, 503 with `unavailable` when the queues' Redis is away.
 * - `/live` is for whoever restarts the process: 503 when work waits and none progresses.
 * - `/ready` is for load balancers: 503 while a dependency is away or the process stops.
 */
export function registerProbes(app: ServiceApp, settings: ProbeSettings): void {
  const { environment, health, metrics, metricsToken, isShuttingDown } = settings;
  const config = { isProbe: true };

  async function readHealth(): Promise<Static<typeof healthSchema>> {
    const [connected, queues, checks] = await Promise.all([
      within(health.redisConnected, checkTimeoutMs, false),
      within(health.queues, checkTimeoutMs, undefined),
      runChecks(health),
    ]);
    const isHealthy = queues?.status === 'healthy' && Object.values(checks).every(Boolean);
    return {
      status: connected ? (isHealthy ? 'ok' : 'degraded') : 'unavailable',
      timestamp: new Date().toISOString(),
      uptime: process.uptime(),
      environment,
      redis: { connected },
      queues: queues?.status ?? 'unavailable',
      totals: queues?.totals ?? noTotals,
    };
  }

  // Callers without a token must not be able to multiply work: probes under way are shared.
  const sharedHealth = shareInFlight(readHealth);
  const sharedChecks = shareInFlight(() => runChecks(health));

  app.get(
    '/health',
    {
      config,
      schema: {
        tags: ['operations'],
        summary: 'State of the service',
        response: { 200: healthSchema, 503: healthSchema },
      },
    },
    async (_request, reply) => {
      const state = await sharedHealth();
      return reply.code(state.status === 'unavailable' ? 503 : 200).send(state);
    },
  );
  app.get(
    '/live',
    {
      config,
      schema: {
        tags: ['operations'],
        summary: 'Whether work progresses',
        response: { 200: liveSchema, 503: liveSchema },
      },
    },
    async (_request, reply) => {
      const { ok, reason } = settings.live();
      if (ok) return reply.code(200).send({ status: 'ok' });
      return reply.code(503).send({ status: 'stuck', reason: reason ?? 'work waits and none progresses' });
    },
  );
  app.get(
    '/ready',
    {
      config,
      schema: {
        tags: ['operations'],
        summary: 'Whether to send traffic',
        response: { 200: readySchema, 503: readySchema },
      },
    },
    async (_request, reply) => {
      if (isShuttingDown()) return reply.code(503).send({ status: 'stopping', checks: {} });
      const checks = await sharedChecks();
      const isReady = Object.values(checks).every(Boolean);
      return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'unready', checks });
    },
  );
  app.get(
    '/metrics',
    { config, schema: { tags: ['operations'], summary: 'Prometheus metrics' } },
    async (request, reply) => {
      if (metricsToken !== undefined && !isBearer(request.headers.authorization, metricsToken)) {
        reply.header('www-authenticate', 'Bearer');
        throw unauthenticated('send METRICS_TOKEN as Authorization: Bearer');
      }
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    },
  );
}

async function runChecks(health: HealthSource): Promise<Record<string, boolean>> {
  const results = Object.entries(health.checks).map(
    async ([name, check]) => [name, await within(check, checkTimeoutMs, false)] as const,
  );
  return Object.fromEntries(await Promise.all(results));
}

function shareInFlight<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= work().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

function isBearer(header: string | undefined, token: string): boolean {
  const [given, wanted] = [header ?? '', `Bearer ${token}`].map((text) =>
    createHash('sha256').update(text).digest(),
  );
  return given !== undefined && wanted !== undefined && timingSafeEqual(given, wanted);
}
