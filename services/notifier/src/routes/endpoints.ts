import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { checkEndpointUrl } from '../delivery/check-endpoint-url.ts';
import type { Endpoints } from '../endpoints/create-endpoints.ts';

const Url = Type.String({ minLength: 1, maxLength: 2048 });
const Description = Type.String({ maxLength: 256 });
const EventTypes = Type.Array(
  Type.String({ pattern: '^(\\*|[a-z0-9_]+(\\.[a-z0-9_]+)*(\\.\\*)?)$', maxLength: 128 }),
  {
    minItems: 1,
    maxItems: 50,
    description: 'Types wanted: "*", a family such as "message.*", or a type such as "message.received".',
  },
);
const State = Type.Union([Type.Literal('enabled'), Type.Literal('disabled')]);
const Params = Type.Object({ id: Type.String({ maxLength: 191 }) });

const EndpointAnswer = Type.Object({
  id: Type.String(),
  merchantId: Type.String(),
  url: Type.String(),
  description: Type.String(),
  eventTypes: Type.Array(Type.String()),
  state: State,
  stateReason: Type.Union([Type.String(), Type.Null()]),
  createdAtMs: Type.Integer(),
  updatedAtMs: Type.Integer(),
});
const WithSecret = Type.Object({
  endpoint: EndpointAnswer,
  secret: Type.String({ description: 'Shown this once. Deliveries are signed with it (Standard Webhooks).' }),
});

/** Routes for the merchant's webhook endpoints. */
export function registerEndpoints(
  app: ServiceApp,
  deps: { endpoints: Endpoints; allowPrivateNetworks: boolean },
): void {
  const { endpoints, allowPrivateNetworks } = deps;
  const read = requireScope('webhooks:read');
  const write = requireScope('webhooks:write');
  const tags = ['endpoints'];

  app.post(
    '/api/v1/endpoints',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Adds an endpoint; the answer holds its secret, once.',
        body: Type.Object(
          { url: Url, description: Type.Optional(Description), eventTypes: Type.Optional(EventTypes) },
          { additionalProperties: false },
        ),
        response: { 201: ok(WithSecret) },
      },
    },
    async (request, reply) => {
      checkEndpointUrl(request.body.url, allowPrivateNetworks);
      reply.status(201);
      return succeed(await endpoints.create(request.principal.merchantId, request.body));
    },
  );

  app.get(
    '/api/v1/endpoints',
    {
      preHandler: read,
      schema: { tags, summary: 'Lists the endpoints.', response: { 200: ok(Type.Array(EndpointAnswer)) } },
    },
    async (request) => succeed(await endpoints.list(request.principal.merchantId)),
  );

  app.get(
    '/api/v1/endpoints/:id',
    {
      preHandler: read,
      schema: { tags, summary: 'Shows an endpoint.', params: Params, response: { 200: ok(EndpointAnswer) } },
    },
    async (request) => succeed(await endpoints.get(request.principal.merchantId, request.params.id)),
  );

  app.patch(
    '/api/v1/endpoints/:id',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Changes an endpoint, or turns it on or off.',
        params: Params,
        body: Type.Object(
          {
            url: Type.Optional(Url),
            description: Type.Optional(Description),
            eventTypes: Type.Optional(EventTypes),
            state: Type.Optional(State),
          },
          { additionalProperties: false, minProperties: 1 },
        ),
        response: { 200: ok(EndpointAnswer) },
      },
    },
    async (request) => {
      if (request.body.url !== undefined) checkEndpointUrl(request.body.url, allowPrivateNetworks);
      return succeed(await endpoints.update(request.principal.merchantId, request.params.id, request.body));
    },
  );

  app.post(
    '/api/v1/endpoints/:id/rotate-secret',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Gives the endpoint a new secret; the old one is signed with too for 24 hours.',
        params: Params,
        response: { 200: ok(WithSecret) },
      },
    },
    async (request) => succeed(await endpoints.rotateSecret(request.principal.merchantId, request.params.id)),
  );

  app.delete(
    '/api/v1/endpoints/:id',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Removes an endpoint; what is on its way to it is given up.',
        params: Params,
        response: { 200: ok(Type.Null()) },
      },
    },
    async (request) => {
      await endpoints.remove(request.principal.merchantId, request.params.id);
      return succeed(null);
    },
  );
}
