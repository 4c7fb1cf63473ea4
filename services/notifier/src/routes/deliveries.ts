import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { DeliveriesTable } from '../database/tables.ts';
import type { Deliveries } from '../delivery/create-deliveries.ts';

const State = Type.Union([Type.Literal('pending'), Type.Literal('delivered'), Type.Literal('failed')]);
const Nullable = (schema: ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>) =>
  Type.Union([schema, Type.Null()]);

const DeliveryAnswer = Type.Object({
  id: Type.String(),
  endpointId: Type.String(),
  eventId: Type.String(),
  eventType: Type.String(),
  state: State,
  attempts: Type.Integer(),
  lastStatus: Nullable(Type.Integer()),
  lastError: Nullable(Type.String()),
  createdAtMs: Type.Integer(),
  updatedAtMs: Type.Integer(),
});
const AttemptAnswer = Type.Object({
  attempt: Type.Integer(),
  startedAtMs: Type.Integer(),
  durationMs: Type.Integer(),
  status: Nullable(Type.Integer()),
  error: Nullable(Type.String()),
});
const Params = Type.Object({ id: Type.String({ maxLength: 191 }) });

/** Routes for what was sent to the merchant's endpoints. */
export function registerDeliveries(app: ServiceApp, deps: { deliveries: Deliveries }): void {
  const { deliveries } = deps;
  const tags = ['deliveries'];

  app.get(
    '/api/v1/deliveries',
    {
      preHandler: requireScope('webhooks:read'),
      schema: {
        tags,
        summary: 'Lists deliveries, newest first.',
        querystring: Type.Object({
          endpointId: Type.Optional(Type.String({ maxLength: 191 })),
          state: Type.Optional(State),
          cursor: Type.Optional(Type.String({ maxLength: 191 })),
          limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
        }),
        response: {
          200: ok(
            Type.Object({ deliveries: Type.Array(DeliveryAnswer), nextCursor: Nullable(Type.String()) }),
          ),
        },
      },
    },
    async (request) => {
      const { endpointId, state, cursor, limit } = request.query;
      const rows = await deliveries.list(request.principal.merchantId, {
        endpointId,
        state,
        before: cursor,
        limit,
      });
      const nextCursor = rows.length === limit ? (rows.at(-1)?.id ?? null) : null;
      return succeed({ deliveries: rows.map(toAnswer), nextCursor });
    },
  );

  app.get(
    '/api/v1/deliveries/:id',
    {
      preHandler: requireScope('webhooks:read'),
      schema: {
        tags,
        summary: 'Shows a delivery, what was sent, and every attempt.',
        params: Params,
        response: {
          200: ok(
            Type.Object({
              delivery: DeliveryAnswer,
              body: Type.String({ description: 'The body as it was signed.' }),
              attempts: Type.Array(AttemptAnswer),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { delivery, attempts } = await deliveries.get(request.principal.merchantId, request.params.id);
      return succeed({
        delivery: toAnswer(delivery),
        body: delivery.body,
        attempts: attempts.map(({ deliveryId: _, ...attempt }) => attempt),
      });
    },
  );

  app.post(
    '/api/v1/deliveries/:id/retry',
    {
      preHandler: requireScope('webhooks:write'),
      schema: {
        tags,
        summary: 'Tries a failed delivery again, under the same webhook-id.',
        params: Params,
        response: { 202: ok(Type.Null()) },
      },
    },
    async (request, reply) => {
      await deliveries.retry(request.principal.merchantId, request.params.id);
      reply.status(202);
      return succeed(null);
    },
  );
}

function toAnswer(row: DeliveriesTable) {
  const { merchantId: _, body: __, turn: ___, ...rest } = row;
  return rest;
}
