import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { isCodedError } from '@switchyard/errors';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { SimulatedAi } from '../ai/create-ai.ts';
import { settingsInvalid } from '../errors.ts';
import { SettingsPatch } from '../settings.ts';
import type { SimulatedShopify } from '../shopify/create-shopify.ts';
import type { Mailbox } from '../smtp/create-mailbox.ts';
import type { WhatsApp } from '../whatsapp/create-whatsapp.ts';
import { FaultInput } from '../whatsapp/faults.ts';
import { InboundInput } from '../whatsapp/inbound-message.ts';
import { NumberInput } from '../whatsapp/numbers.ts';
import { TemplateInput } from '../whatsapp/templates.ts';
import { verifyWebhook } from '../whatsapp/verify-webhook.ts';
import { aiControlRoutes } from './ai-routes.ts';
import { mailboxRoutes } from './mailbox-routes.ts';
import { shopifyControlRoutes } from './shopify-routes.ts';
import { streamEvents } from './stream-events.ts';

const Change = Type.Object(
  {
    field: Type.String({ minLength: 1 }),
    value: Type.Unknown(),
    phoneNumberId: Type.Optional(Type.String({ minLength: 1 })),
  },
  { additionalProperties: false },
);
const Digits = Type.String({ pattern: '^\\d{1,20}$' });
const oneOrMore = <T extends Type.TSchema>(schema: T) =>
  Type.Union([schema, Type.Array(schema, { minItems: 1, maxItems: 10_000 })]);

/** Everything that is simulated. */
export interface Simulated {
  whatsapp: WhatsApp;
  mailbox: Mailbox;
  ai: SimulatedAi;
  shopify: SimulatedShopify;
}

/**
 * The control API. It has no credentials: the simulator is a tool for one machine. What a browser sends it from
 * another site is refused.
 */
export async function controlRoutes(scope: FastifyInstance, simulated: Simulated): Promise<void> {
  const { whatsapp, mailbox, ai, shopify } = simulated;
  const app = scope.withTypeProvider<TypeBoxTypeProvider>();

  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    const statusCode = error.statusCode ?? 500;
    if (statusCode >= 500) request.log.error(error);
    const code =
      isCodedError(error) || statusCode < 500
        ? (error.code ?? 'SIMULATOR_REQUEST_INVALID')
        : 'SIMULATOR_ERROR';
    const message = statusCode < 500 ? error.message : 'the simulator failed; see its log';
    return reply.code(statusCode).send({ success: false, error: { code, message } });
  });
  app.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send({ success: false, error: { code: 'SIMULATOR_NOT_FOUND', message: 'there is no such route' } }),
  );
  app.addHook('onRequest', async (request, reply) => {
    const { origin, host } = request.headers;
    if (origin !== undefined && URL.parse(origin)?.host !== host) {
      return reply.code(403).send({
        success: false,
        error: { code: 'SIMULATOR_FOREIGN_ORIGIN', message: 'requests of other sites are refused' },
      });
    }
  });
  const answer = <T>(data: T) => ({ success: true, data });

  app.post('/inbound', { schema: { body: oneOrMore(InboundInput) } }, async (request) =>
    answer({ ids: whatsapp.inject(request.body) }),
  );
  app.post('/changes', { schema: { body: oneOrMore(Change) } }, async (request) => {
    whatsapp.injectChanges(request.body);
    return answer({});
  });
  app.post('/verify-webhook', async () =>
    answer(await verifyWebhook(whatsapp.settings.webhooks, whatsapp.verifyToken)),
  );

  app.get('/faults', async () => answer(whatsapp.faults.list()));
  app.post('/faults', { schema: { body: oneOrMore(FaultInput) } }, async (request) => {
    const inputs = Array.isArray(request.body) ? request.body : [request.body];
    return answer(inputs.map((input) => whatsapp.faults.add(input)));
  });
  app.delete(
    '/faults',
    { schema: { querystring: Type.Object({ id: Type.Optional(Digits) }) } },
    async (request) => {
      const { id } = request.query;
      return answer({ removed: whatsapp.faults.remove(id === undefined ? undefined : Number(id)) });
    },
  );

  app.get('/settings', async () => answer(whatsapp.settings));
  app.put('/settings', { schema: { body: SettingsPatch } }, async (request) => {
    try {
      return answer(whatsapp.changeSettings(request.body));
    } catch (error) {
      throw settingsInvalid((error as Error).message);
    }
  });
  app.get('/numbers', async () =>
    answer(whatsapp.numbers.all().map(({ accessToken, metadataJson, ...number }) => number)),
  );
  app.put('/numbers', { schema: { body: NumberInput } }, async (request) => {
    whatsapp.numbers.put(request.body);
    return answer({});
  });

  app.get('/templates', async () =>
    answer(
      [...new Set(whatsapp.numbers.all().map((number) => number.businessAccountId))].flatMap(
        whatsapp.templates.list,
      ),
    ),
  );
  app.put('/templates', { schema: { body: TemplateInput } }, async (request) =>
    answer(whatsapp.putTemplate(request.body)),
  );
  app.get('/media/:id', { schema: { params: Type.Object({ id: Digits }) } }, async (request, reply) => {
    const stored = whatsapp.media.get(request.params.id);
    // Only pictures, which the page shows; anything else could run as a page of this origin.
    if (!stored || !/^image\/(png|jpeg|webp|gif)/.test(stored.mimeType)) return reply.callNotFound();
    return reply.type(stored.mimeType).header('x-content-type-options', 'nosniff').send(stored.bytes);
  });

  const Filter = Type.Object({
    to: Type.Optional(Type.String({ minLength: 1 })),
    after: Type.Optional(Digits),
    limit: Type.Optional(Digits),
  });
  app.get('/accepted', { schema: { querystring: Filter } }, async (request) => {
    const { to, after, limit } = request.query;
    const messages = whatsapp.accepted.list({
      ...(to === undefined ? {} : { to }),
      ...(after === undefined ? {} : { after: Number(after) }),
    });
    // With a place to go on from, the page that follows it; else the latest.
    const size = Number(limit ?? 1000);
    const page = after === undefined ? messages.slice(-size || messages.length) : messages.slice(0, size);
    return answer({ total: whatsapp.accepted.total, messages: page });
  });
  app.get('/inbound', { schema: { querystring: Filter } }, async (request) => {
    const address = request.query.to?.replace(/^\+/, '');
    const messages = whatsapp
      .inbound()
      .filter(
        ({ from, userId, sequence }) =>
          (address === undefined || from === address || userId === address) &&
          sequence > Number(request.query.after ?? 0),
      );
    return answer({ messages: messages.slice(-Number(request.query.limit ?? 1000)) });
  });
  app.get(
    '/incidents',
    { schema: { querystring: Type.Object({ after: Type.Optional(Digits) }) } },
    async (request) => answer(whatsapp.incidents.list(Number(request.query.after ?? 0))),
  );
  app.get('/repeats', async () =>
    answer({ totals: whatsapp.accepted.repeatTotals(), repeats: whatsapp.accepted.repeats() }),
  );
  app.get(
    '/statistics',
    { schema: { querystring: Type.Object({ numbers: Type.Optional(Type.Literal('none')) }) } },
    async (request) => answer(whatsapp.statistics({ withNumbers: request.query.numbers !== 'none' })),
  );
  app.get('/events', (request, reply) => streamEvents(whatsapp, request, reply));
  mailboxRoutes(app, mailbox);
  aiControlRoutes(app, ai);
  shopifyControlRoutes(app, shopify);
  app.post('/reset', async () => {
    whatsapp.reset();
    mailbox.clear();
    ai.reset();
    shopify.reset();
    return answer({});
  });
}
