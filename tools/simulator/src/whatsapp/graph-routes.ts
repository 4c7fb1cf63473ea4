import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WhatsApp } from './create-whatsapp.ts';
import { type GraphError, graphError, unknownObject } from './graph-error.ts';
import { registerMediaRoutes } from './media-routes.ts';
import type { BusinessNumber } from './numbers.ts';
import { pageOf } from './page-of.ts';
import { sendGraphError } from './send-graph-error.ts';
import { registerTemplateRoutes } from './template-routes.ts';

const numberFields: Record<string, (number: BusinessNumber) => unknown> = {
  id: (number) => number.id,
  display_phone_number: (number) => number.displayPhoneNumber,
  verified_name: (number) => number.verifiedName,
  quality_rating: (number) => number.qualityRating,
  throughput: (number) => ({ level: number.throughputLevel }),
  messaging_limit_tier: (number) => number.messagingLimitTier,
  whatsapp_business_manager_messaging_limit: (number) => number.messagingLimitTier,
  code_verification_status: () => 'VERIFIED',
  name_status: () => 'APPROVED',
  platform_type: () => 'CLOUD_API',
  status: (number) => number.status,
  health_status: (number) => ({ can_send_message: number.canSendMessage, entities: [] }),
  is_on_biz_app: (number) => number.isOnBizApp,
  account_mode: () => 'SANDBOX',
};
const usualFields =
  'id,display_phone_number,verified_name,quality_rating,throughput,code_verification_status,platform_type';

/** The asked-for fields of a number; `throughput{level}` and unknown names are taken as Graph does: the name counts. */
function viewNumber(
  number: BusinessNumber,
  fields: string | undefined,
): Record<string, unknown> | GraphError {
  const view: Record<string, unknown> = {};
  for (const name of `${fields ?? usualFields},id`.replace(/\{[^}]*\}/g, '').split(',')) {
    const read = numberFields[name.trim()];
    if (!read) return graphError(100, undefined, `Tried accessing nonexisting field (${name.trim()})`);
    view[name.trim()] = read(number);
  }
  return view;
}

/**
 * The Graph API besides sending: numbers, subscribed apps, templates, media, each with and without a version before it.
 */
export async function graphRoutes(app: FastifyInstance, whatsapp: WhatsApp): Promise<void> {
  await app.register(multipart, { limits: { fileSize: 100 * 1024 * 1024, files: 1, fields: 10 } });

  app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) =>
    sendGraphError(reply, {
      ...graphError(error.statusCode && error.statusCode < 500 ? 100 : 131000, error.message),
      ...(error.statusCode === 413 ? { httpStatus: 413 } : {}),
    }),
  );
  app.setNotFoundHandler((request, reply) =>
    sendGraphError(reply, unknownObject(request.url.split('?')[0] ?? '')),
  );
  app.addHook('onRequest', async (request: FastifyRequest, reply) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (!whatsapp.numbers.isToken(token)) return sendGraphError(reply, graphError(190));
  });

  for (const prefix of ['/v:major(^\\d+).:minor(^\\d+)', '']) {
    await app.register(
      async (scope) => {
        registerMediaRoutes(scope, whatsapp);
        registerTemplateRoutes(scope, whatsapp);
        registerAccountRoutes(scope, whatsapp);
      },
      { prefix },
    );
  }
}

type IdRequest = { Params: { id: string }; Querystring: Record<string, string | undefined> };

function registerAccountRoutes(app: FastifyInstance, whatsapp: WhatsApp): void {
  const isAccount = (id: string) => whatsapp.numbers.hasAccount(id);

  app.get<IdRequest>('/:id/phone_numbers', async (request, reply) => {
    const { id } = request.params;
    if (!isAccount(id)) return sendGraphError(reply, unknownObject(id));
    const views = whatsapp.numbers.ofAccount(id).map((number) => viewNumber(number, request.query.fields));
    const problem = views.find((view) => 'code' in view && 'httpStatus' in view);
    if (problem) return sendGraphError(reply, problem as GraphError);
    return pageOf(views, request);
  });
  app.get<IdRequest>('/:id/subscribed_apps', async (request, reply) => {
    const { id } = request.params;
    if (!isAccount(id)) return sendGraphError(reply, unknownObject(id));
    const application = {
      whatsapp_business_api_data: { id: '100', name: 'Switchyard', link: 'https://example.com/' },
    };
    return { data: whatsapp.numbers.isSubscribed(id) ? [application] : [] };
  });
  app.post<IdRequest>('/:id/subscribed_apps', async (request, reply) => {
    if (!isAccount(request.params.id)) return sendGraphError(reply, unknownObject(request.params.id));
    whatsapp.numbers.subscribe(request.params.id, true);
    return { success: true };
  });
  app.delete<IdRequest>('/:id/subscribed_apps', async (request, reply) => {
    if (!isAccount(request.params.id)) return sendGraphError(reply, unknownObject(request.params.id));
    whatsapp.numbers.subscribe(request.params.id, false);
    return { success: true };
  });
  app.get<IdRequest>('/:id', async (request, reply) => {
    const { id } = request.params;
    const number = whatsapp.numbers.get(id);
    if (number) {
      const view = viewNumber(number, request.query.fields);
      return 'httpStatus' in view ? sendGraphError(reply, view as GraphError) : view;
    }
    if (isAccount(id)) return { id, name: 'Switchyard Simulator', currency: 'USD', timezone_id: '1' };
    const stored = whatsapp.media.get(id);
    if (!stored) return sendGraphError(reply, unknownObject(id));
    const token = whatsapp.media.issueUrl(id, whatsapp.settings.media.urlLifetimeMs);
    const host = request.headers.host ?? request.host;
    return {
      messaging_product: 'whatsapp',
      url: `http://${host}/whatsapp_business/attachments/?mid=${id}&token=${token}`,
      mime_type: stored.mimeType,
      sha256: stored.sha256,
      file_size: stored.bytes.length,
      id,
    };
  });
}
