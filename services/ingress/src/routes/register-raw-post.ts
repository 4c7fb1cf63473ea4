import type { IncomingHttpHeaders } from 'node:http';
import { bodyTooLarge, type ServiceApp } from '@switchyard/service-kit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { encodingUnsupported, payloadMalformed } from '../errors.ts';
import type { BodyBudget } from '../intake/create-body-budget.ts';
import { type ReadBody, readBody } from '../intake/read-body.ts';

/** The largest provider's limit, with a little room. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024 + 64 * 1024;

/** A webhook's route. */
export interface RawPost {
  url: string;
  /** Fastify's schema of everything but the body. */
  schema?: object;
  budget: BodyBudget;
  /** When it returns, the webhook is answered 200. */
  handle(body: Buffer, request: FastifyRequest): Promise<unknown>;
}

/** Adds a POST route that gets the raw bytes of its body, since that is what signatures cover, whatever the content type says. */
export function registerRawPost(app: ServiceApp, { url, schema, budget, handle }: RawPost): void {
  app.register(async (scoped) => {
    const scope = scoped as unknown as FastifyInstance;
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (request, stream, done) => {
      readBody(request.headers, stream, { limitBytes: MAX_BODY_BYTES, budget }).then(
        (body) => done(null, body),
        (error: Error) => done(error),
      );
    });
    scope.post(
      url,
      {
        bodyLimit: MAX_BODY_BYTES,
        schema: { tags: ['webhooks'], ...schema },
        // What browsers are told is lost on a provider, and a line per event is what metrics are for: both cost more than the HMAC.
        config: { isForProviders: true },
        logLevel: 'warn',
        onRequest: (request, _reply, done) => done(findRefusal(request.headers)),
        // After a body that was not read to its end, the connection is of no more use.
        onError: async (request, reply) => {
          if (!request.raw.complete) reply.header('connection', 'close');
        },
      },
      async (request, reply) => {
        const body = request.body as ReadBody | undefined;
        if (!body) throw payloadMalformed('the body is empty');
        try {
          await handle(body.bytes, request);
        } finally {
          body.release();
        }
        // The provider reads the status alone; a constant answer costs nothing to write.
        return reply.type('application/json; charset=utf-8').send('{"success":true}');
      },
    );
  });
}

/** Refuses by the headers what could only be refused after reading it. */
function findRefusal(headers: IncomingHttpHeaders): Error | undefined {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    return encodingUnsupported('send the body as it was signed, without content-encoding');
  if (Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES)
    return bodyTooLarge('the body is too large', { details: { limitBytes: MAX_BODY_BYTES } });
  return undefined;
}
