import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { onRequestDone } from '../http/on-request-done.ts';

/** One mutation through the API, done or refused. Never holds a body or a query. */
export interface AuditEntry {
  atMs: number;
  service: string;
  /** Undefined where the caller was not identified. */
  subject: string | undefined;
  /** The merchant acted for. */
  merchantId: string | undefined;
  /** The merchant that the caller's credential belongs to. */
  homeMerchantId: string | undefined;
  method: string;
  /** The route's pattern, such as `/api/v1/campaigns/:id`. */
  route: string;
  /** The ids in the path. */
  params: Record<string, string>;
  status: number;
  outcome: 'done' | 'refused' | 'failed';
  requestId: string;
  correlationId: string;
  address: string;
}

/** Where mutations are recorded. */
export interface AuditSink {
  record(entry: AuditEntry): Promise<void>;
}

const mutations = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Records every mutation under `/api/v1`. A sink that fails is logged and fails nothing else; closing the app waits
 * for entries under way.
 *
 * Strangers that the limit on refused tokens stops are not recorded: they could fill the store.
 */
export function installAudit(app: FastifyInstance, sink: AuditSink, service: string): void {
  const underWay = new Set<Promise<void>>();

  onRequestDone(app, (request, reply) => {
    const route = request.routeOptions.url;
    if (!mutations.has(request.method) || !route?.startsWith('/api/v1/')) return;
    if (!request.maybePrincipal && reply.statusCode === 429) return;
    const recording = record(request, reply, route).finally(() => underWay.delete(recording));
    underWay.add(recording);
  });
  app.addHook('onClose', async () => {
    await Promise.all(underWay);
  });

  async function record(request: FastifyRequest, reply: FastifyReply, route: string): Promise<void> {
    try {
      await sink.record(describe(request, reply, route, service));
    } catch (error) {
      request.log.error({ err: error, route, status: reply.statusCode }, 'audit entry not recorded');
    }
  }
}

function describe(request: FastifyRequest, reply: FastifyReply, route: string, service: string): AuditEntry {
  const principal = request.maybePrincipal;
  const status = reply.statusCode;
  const params = Object.entries((request.params ?? {}) as Record<string, unknown>);
  return {
    atMs: Date.now(),
    service,
    subject: principal?.subject,
    merchantId: principal?.merchantId,
    homeMerchantId: principal?.homeMerchantId,
    method: request.method,
    route,
    params: Object.fromEntries(params.map(([name, value]) => [name, String(value).slice(0, 191)])),
    status,
    outcome: status < 400 ? 'done' : status < 500 ? 'refused' : 'failed',
    requestId: request.id,
    correlationId: request.trace.correlationId,
    address: request.ip,
  };
}
