import { createServer } from 'node:http';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import { aiRoutes } from './ai/ai-routes.ts';
import { controlRoutes, type Simulated } from './control/control-routes.ts';
import { pageRoutes } from './page/page-routes.ts';
import { shopifyRoutes } from './shopify/shopify-routes.ts';
import { graphRoutes } from './whatsapp/graph-routes.ts';

const sendPath = /^\/(?:v\d+\.\d+\/)?(\d+)\/(?:marketing_)?messages(?:\?|$)/;

/**
 * Builds the simulator's HTTP side. Sends are taken off the bare server before Fastify sees them: they are the hot
 * path, and some of their faults end the connection instead of an answer.
 */
export async function buildApp(deps: Simulated & { logger: Logger }): Promise<FastifyInstance> {
  const { whatsapp, logger } = deps;
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 110 * 1024 * 1024,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    serverFactory: (handler) =>
      createServer({ keepAliveTimeout: 75_000, requestTimeout: 0 }, (request, response) => {
        const match = request.method === 'POST' ? sendPath.exec(request.url ?? '') : null;
        if (match?.[1] === undefined) handler(request, response);
        else whatsapp.send(request, response, match[1]);
      }),
  });
  app.get('/health', async () => ({
    status: 'ok',
    timestamp: new Date().toISOString(),
    uptime: process.uptime(),
  }));
  await app.register(pageRoutes);
  await app.register((scope) => controlRoutes(scope, deps), { prefix: '/_simulator' });
  await app.register((scope) => aiRoutes(scope, deps.ai), { prefix: '/ai/v1' });
  await app.register((scope) => shopifyRoutes(scope, deps.shopify), { prefix: '/shopify' });
  await app.register((scope) => graphRoutes(scope, whatsapp));
  return app as unknown as FastifyInstance;
}
