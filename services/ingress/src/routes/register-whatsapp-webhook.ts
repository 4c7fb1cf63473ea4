import { timingSafeEqual } from 'node:crypto';
import { jobMetaOf, type ServiceApp } from '@switchyard/service-kit';
import Type from 'typebox';
import { verifyTokenInvalid } from '../errors.ts';
import type { BodyBudget } from '../intake/create-body-budget.ts';
import { hashOfVerifyToken } from '../merchants/create-apps.ts';
import type { Directory } from '../merchants/create-directory.ts';
import type { WebhookIntake } from '../whatsapp/create-webhook-intake.ts';
import { registerRawPost } from './register-raw-post.ts';

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

  registerRawPost(app, {
    url: '/webhooks/whatsapp',
    budget,
    handle: (body, request) =>
      intake.receive(body, request.headers['x-hub-signature-256'], jobMetaOf(request)),
  });
}
