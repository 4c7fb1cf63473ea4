import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import basicAuth from '@fastify/basic-auth';
import { isCodedError } from '@switchyard/errors';
import { catalog, type QueueName, queueNames } from '@switchyard/jobs';
import type { ServiceApp } from '@switchyard/service-kit';
import type { Queue } from 'bullmq';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { boardActionRefused } from '../errors.ts';
import type { BoardAudit } from './create-board-audit.ts';
import type { CheckLogin } from './login.ts';
import { refuseCrossSite } from './refuse-cross-site.ts';
import { scrubAnswer, showData } from './show-data.ts';

/** Where the dashboard is. */
export const boardPath = '/admin/queues';

declare module 'fastify' {
  interface FastifyRequest {
    /** The id of the record of an operator's action. */
    boardActionId: string | undefined;
  }
}

/** What the dashboard needs. */
export interface BoardSettings {
  /** The queues, on a connection that fails rather than waits. */
  queueOf: (name: QueueName) => Queue;
  checkLogin: CheckLogin;
  /** The login's name, for the record. */
  operator: string;
  audit: BoardAudit;
  environment: string;
}

/**
 * Data is shown without secrets and shortened: written back it would be lost. Deleting a queue would lose accepted work.
 * What is completed is done: a second run is a new job of whoever wants it.
 */
function isRefused({ routeOptions, params }: FastifyRequest): boolean {
  if (/\/(add|update-data|obliterate)$/.test(routeOptions.url ?? '')) return true;
  const { queueStatus } = params as { queueStatus?: string };
  return queueStatus === 'completed' && (routeOptions.url ?? '').endsWith('/retry/:queueStatus');
}
const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

const refused = boardActionRefused(
  "The dashboard does not add, edit or repeat work, nor delete a whole queue: see the owning service's API.",
);

/** Bull Board sets styles on elements and draws icons from data; it loads nothing from elsewhere. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "object-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
].join('; ');

/** Its page asks for fonts of another site: who looks at the queues is nobody else's business. */
const foreignFonts = /<link[^>]+href="https:\/\/fonts\.[^>]*>/g;

/**
 * Adds Bull Board at `/admin/queues`: behind its login, with every change recorded, none taken from another site's page,
 * and jobs' data shown without secrets and phone numbers.
 */
export async function registerBoard(app: ServiceApp, settings: BoardSettings): Promise<void> {
  const { checkLogin, operator, audit } = settings;
  const adapter = new FastifyAdapter();
  adapter.setBasePath(boardPath);
  createBullBoard({
    queues: queueNames.map((name) => createAdapter(name, settings.queueOf(name))),
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'Switchyard queues',
        hideDocsLink: true,
        environment: { label: settings.environment, color: '#7c8a9e' },
      },
    },
  });

  // The dashboard is written against Fastify's defaults; logger and provider don't concern it.
  await (app as unknown as FastifyInstance).register(async (scope) => {
    await scope.register(basicAuth, {
      authenticate: { realm: 'Switchyard queues' },
      async validate(username, password, request, reply) {
        try {
          await checkLogin(username, password, request.ip);
        } catch (error) {
          // Bull Board answers errors in its own way, which knows of no time to wait.
          if (isCodedError(error) && error.delayMs !== undefined)
            reply.header('retry-after', Math.ceil(error.delayMs / 1000));
          throw error;
        }
      },
    });
    scope.decorateRequest('boardActionId', undefined);
    scope.addHook('onRequest', scope.basicAuth);
    scope.addHook('onRequest', async (request) => refuseCrossSite(request));
    scope.addHook('preHandler', async (request, reply) => {
      if (reading.has(request.method)) return;
      request.boardActionId = await audit.begin(request, operator);
      // Answered here, in the dashboard's own form: of an error thrown it would show no more than that there was one.
      if (isRefused(request))
        return reply.code(refused.statusCode).send({ error: refused.message, code: refused.code });
    });
    scope.addHook('onResponse', async (request, reply) => recordEnd(request, reply, audit));
    scope.addHook('preSerialization', async (_request, _reply, payload) => scrubAnswer(payload));
    scope.addHook('onSend', async (request, reply, payload) => {
      reply.header('content-security-policy', contentSecurityPolicy);
      if (!request.url.startsWith(`${boardPath}/static/`)) reply.header('cache-control', 'no-store');
      const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
      return isPage && typeof payload === 'string' ? payload.replaceAll(foreignFonts, '') : payload;
    });
    await scope.register(adapter.registerPlugin(), { prefix: boardPath });
  });
}

function createAdapter(name: QueueName, queue: Queue): BullMQAdapter {
  const { description, consumer } = catalog[name];
  // Held outside the call: the adapter's type does not list what its base class takes.
  const options = { description: `${description} (${consumer})`, allowCompletedRetries: false };
  const adapter = new BullMQAdapter(queue, options);
  adapter.setFormatter('data', showData);
  adapter.setFormatter('returnValue', showData);
  adapter.setFormatter('progress', showData as (progress: unknown) => never);
  return adapter;
}

async function recordEnd(request: FastifyRequest, reply: FastifyReply, audit: BoardAudit): Promise<void> {
  if (request.boardActionId === undefined) return;
  try {
    await audit.end(request.boardActionId, reply.statusCode);
  } catch (error) {
    request.log.error({ err: error, boardActionId: request.boardActionId }, 'end of an action not recorded');
  }
}
