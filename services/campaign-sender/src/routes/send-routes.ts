import { jobMetaOf, ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type, { type TSchema } from 'typebox';
import { acceptRequests, tryRequests } from '../messages/accept-requests.ts';
import { contentSchemas } from '../messages/content/check-content.ts';
import { interactiveSchemas } from '../messages/content/interactive-schemas.ts';
import type { RouteParts } from './register-routes.ts';
import { MessageStateSchema, RequestProblemView, SendBody } from './schemas.ts';

/** Send, try without sending, and what can be sent. */
export function registerSendRoutes(app: ServiceApp, parts: RouteParts): void {
  const { store, recorder } = parts;
  const tags = ['messages'];

  app.post(
    '/api/v1/messages',
    {
      onRequest: requireScope('messages:write'),
      schema: {
        tags,
        summary: 'Send one message, or up to 100',
        description:
          'Checked first: form, template, files, window. All are recorded when this answers, or none; then they go at the pace of the number. The same Idempotency-Key with the same body gets the same answer, with the header `idempotency-replayed`; with another body it is refused.',
        headers: Type.Object({
          'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
        }),
        body: SendBody,
        response: {
          202: ok(
            Type.Object({
              messages: Type.Array(Type.Object({ id: Type.String(), state: MessageStateSchema })),
            }),
          ),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const accepted = await acceptRequests(parts, {
        merchantId: request.principal.merchantId,
        idempotencyKey: request.headers['idempotency-key'],
        body,
        meta: jobMetaOf(request),
        messages: 'messages' in body ? body.messages : [body],
      });
      reply.code(202);
      if (accepted.isReplay) reply.header('idempotency-replayed', 'true');
      return succeed({ messages: accepted.messages });
    },
  );

  app.post(
    '/api/v1/messages/check',
    {
      onRequest: requireScope('messages:write'),
      schema: {
        tags,
        summary: 'Find everything that would be refused, and send nothing',
        body: SendBody,
        response: { 200: ok(Type.Object({ problems: Type.Array(RequestProblemView) })) },
      },
    },
    async ({ body, principal }) =>
      succeed({
        problems: await tryRequests(store, recorder, {
          merchantId: principal.merchantId,
          idempotencyKey: undefined,
          body,
          meta: {},
          messages: 'messages' in body ? body.messages : [body],
        }),
      }),
  );

  app.get(
    '/api/v1/messages/kinds',
    {
      onRequest: requireScope('messages:read'),
      schema: {
        tags,
        summary: 'JSON schema of the content of each kind of message',
        response: {
          200: ok(
            Type.Object({
              kinds: Type.Record(Type.String(), Type.Unknown()),
              interactive: Type.Record(Type.String(), Type.Unknown()),
            }),
          ),
        },
      },
    },
    async () => succeed({ kinds: plain(contentSchemas), interactive: plain(interactiveSchemas) }),
  );
}

function plain(schemas: Readonly<Record<string, TSchema>>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schemas)) as Record<string, unknown>;
}
