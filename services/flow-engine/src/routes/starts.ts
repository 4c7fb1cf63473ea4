import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { RunStarter } from '../runs/start-runs.ts';

const Params = Type.Object({ id: Type.String({ maxLength: 191 }) });
const Id = Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9._-]+$' });

/** Routes that start runs, and try failed ones again. */
export function registerStarts(app: ServiceApp, { starter }: { starter: RunStarter }): void {
  const write = requireScope('flows:write');

  app.post(
    '/api/v1/flows/:id/runs',
    {
      preHandler: write,
      schema: {
        tags: ['runs'],
        summary:
          'Starts a published flow that has an "api" trigger, for a contact, an address, or everybody with a tag.',
        params: Params,
        body: Type.Object(
          {
            contactId: Type.Optional(Id),
            to: Type.Optional(
              Type.String({
                minLength: 3,
                maxLength: 160,
                description: 'A phone number in E.164, or a business-scoped user id.',
              }),
            ),
            tag: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
            input: Type.Optional(
              Type.Record(Type.String(), Type.Unknown(), {
                description: 'What the flow declares in "inputs".',
              }),
            ),
            senderId: Type.Optional(Id),
            startId: Type.Optional(
              Type.Unsafe<string>({
                ...Id,
                description: 'Makes the request idempotent: the same id starts once.',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 202: ok(Type.Object({ startId: Type.String() })) },
      },
    },
    async (request, reply) => {
      const { merchantId } = request.principal;
      reply.status(202);
      return succeed({
        startId: await starter.request(merchantId, { flowId: request.params.id, ...request.body }),
      });
    },
  );

  app.post(
    '/api/v1/runs/:id/retry',
    {
      preHandler: write,
      schema: {
        tags: ['runs'],
        summary: 'Tries a failed run again, from the node that failed.',
        params: Params,
        response: { 202: ok(Type.Object({ runId: Type.String() })) },
      },
    },
    async (request, reply) => {
      await starter.retry(request.principal.merchantId, request.params.id);
      reply.status(202);
      return succeed({ runId: request.params.id });
    },
  );
}
