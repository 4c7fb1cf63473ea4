import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { failureSchema } from './envelope.ts';

const docsPath = '/docs';

/** Adds `/docs` (a page that loads nothing from elsewhere) and `/docs/json` (OpenAPI 3). */
export async function registerDocs(
  app: FastifyInstance,
  about: { service: string; version: string },
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: `Switchyard ${about.service}`, version: about.version },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
    transform({ schema, url, route }) {
      if (!url.startsWith('/api/v1') || schema?.hide) return { schema, url };
      const documented: FastifySchema = {
        ...schema,
        ...(route.config?.public ? {} : { security: [{ bearer: [] }] }),
        response: { '4xx': failureSchema, '5xx': failureSchema, ...(schema?.response as object | undefined) },
      };
      return { schema: documented, url };
    },
  });
  await app.register(swaggerUi, { routePrefix: docsPath, uiConfig: { docExpansion: 'list' } });
}
