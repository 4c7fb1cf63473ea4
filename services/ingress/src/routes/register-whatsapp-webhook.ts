import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { bodyTooLarge, jobMetaOf, type ServiceApp } from '@switchyard/service-kit';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { encodingUnsupported, payloadMalformed, verifyTokenInvalid } from '../errors.ts';
import type { BodyBudget } from '../intake/create-body-budget.ts';
import { type ReadBody, readBody } from '../intake/read-body.ts';
import { hashOfVerifyToken } from '../merchants/create-apps.ts';
import type { Directory } from '../merchants/create-directory.ts';
import type { WebhookIntake } from '../whatsapp/create-webhook-intake.ts';

/** The provider's own limit, with a little room. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024 + 64 * 1024;

const Verification = Type.Object({
  'hub.mode': Type.Literal('subscribe'),
  'hub.verify_token': Type.String({ maxLength: 512 }),
  'hub.challenge': Type.String({ minLength: 1, maxLength: 512 }),
});

/** What the webhook needs. */
export interface WhatsappWebhookSettings {
  directory: Pick<Directory, 'apps'>;
  intake: WebhookIntake;
  budget: BodyBudget;
}

/** `GET` and `POST /webhooks/whatsapp`. */
export async function registerWhatsappWebhook(
  app: ServiceApp,
  settings: WhatsappWebhookSettings,
): Promise<void> {
  const { directory, intake, budget } = settings;

  app.get(
    '/webhooks/whatsapp',
    { schema: { tags: ['webhooks'], querystring: Verification } },
    async (request, reply) => {
      const offered = Buffer.from(hashOfVerifyToken(request.query['hub.verify_token']));
      let known = false;
      for (const { verifyTokenHash } of await directory.apps('whatsapp')) {
        if (verifyTokenHash !== undefined && timingSafeEqual(Buffer.from(verifyTokenHash), offered))
          known = true;
      }
      if (!known) throw verifyTokenInvalid('the verify token is of no app we know');
      // As plain text, which no browser will take for a page.
      return reply.type('text/plain; charset=utf-8').send(request.query['hub.challenge']);
    },
  );

  app.register(async (scoped) => {
    const scope = scoped as unknown as FastifyInstance;
    // The signature covers bytes, so bytes are what the handler gets, whatever the content type says.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (request, stream, done) => {
      readBody(request.headers, stream, { limitBytes: MAX_BODY_BYTES, budget }).then(
        (body) => done(null, body),
        (error: Error) => done(error),
      );
    });
    scope.post(
      '/webhooks/whatsapp',
      {
        bodyLimit: MAX_BODY_BYTES,
        schema: { tags: ['webhooks'] },
        // What browsers are told is lost on a provider, and a line per event is what metrics are for: both cost more than the HMAC.
        helmet: false,
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
          await intake.receive(body.bytes, request.headers['x-hub-signature-256'], jobMetaOf(request));
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
