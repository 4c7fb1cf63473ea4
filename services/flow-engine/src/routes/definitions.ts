import { checkDefinition, FlowDefinition, findWarnings } from '@switchyard/flows';
import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { FlowStore } from '../definitions/create-flow-store.ts';
import { Problem } from './flows.ts';

const FLOWS_MOST = 50;
const FlowId = Type.String({ minLength: 1, maxLength: 191, pattern: '^[A-Za-z0-9._-]+$' });
const Bundle = Type.Object({
  format: Type.Literal('switchyard.flows'),
  version: Type.Literal(1),
  flows: Type.Array(
    Type.Object({
      id: Type.Optional(
        Type.Unsafe<string>({
          ...FlowId,
          description: 'What the others call it; the flow of that id gets a draft.',
        }),
      ),
      definition: Type.Unknown({ description: 'See GET /api/v1/flows/schema.' }),
    }),
    { minItems: 1, maxItems: FLOWS_MOST },
  ),
});

/** Routes for definitions as such: their schema, their check, files of them. */
export function registerDefinitions(app: ServiceApp, { flows }: { flows: FlowStore }): void {
  const read = requireScope('flows:read');
  const write = requireScope('flows:write');
  const tags = ['flows'];

  // The second is the older name.
  for (const url of ['/api/v1/flows/schema', '/api/v1/flow-schema'])
    app.get(
      url,
      {
        preHandler: read,
        schema: {
          tags,
          summary: 'The JSON Schema of a flow definition.',
          response: { 200: ok(Type.Unknown()) },
        },
      },
      async () => succeed(FlowDefinition),
    );

  app.post(
    '/api/v1/flows/check',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'Says what is wrong with a definition, without keeping it.',
        body: Type.Object(
          {
            definition: Type.Unknown(),
            templates: Type.Optional(
              Type.Array(Type.String({ maxLength: 512 }), {
                maxItems: 5000,
                description:
                  'Names of the message templates that there are; by default those that the accounts are known to have.',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: ok(
            Type.Object({
              problems: Type.Array(Problem),
              warnings: Type.Array(Problem),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { definition, templates } = request.body;
      const { merchantId } = request.principal;
      const problems = checkDefinition(definition);
      if (problems.length > 0) return succeed({ problems, warnings: [] });
      const surroundings = {
        ...(await flows.surroundings(merchantId, definition as FlowDefinition)),
        ...(templates === undefined ? {} : { templates: new Map(templates.map((name) => [name, []])) }),
      };
      return succeed({
        problems: checkDefinition(definition, surroundings),
        warnings: findWarnings(definition as FlowDefinition, surroundings),
      });
    },
  );

  app.get(
    '/api/v1/flows/:id/export',
    {
      preHandler: read,
      schema: {
        tags,
        summary: 'A flow with the flows that it names, as a file for another installation or for git.',
        params: Type.Object({ id: Type.String({ maxLength: 191 }) }),
        querystring: Type.Object({
          version: Type.Optional(
            Type.Integer({ minimum: 1, description: 'The published one, else the newest, by default.' }),
          ),
        }),
        response: { 200: ok(Bundle) },
      },
    },
    async (request) =>
      succeed(
        await flows.exportBundle(request.principal.merchantId, request.params.id, request.query.version),
      ),
  );

  app.post(
    '/api/v1/flows/import',
    {
      preHandler: write,
      schema: {
        tags,
        summary: 'Takes flows over as drafts, all or none; what they call each other follows.',
        body: Bundle,
        response: {
          201: ok(
            Type.Array(Type.Object({ id: Type.String(), name: Type.String(), draftVersion: Type.Integer() })),
          ),
        },
      },
    },
    async (request, reply) => {
      const imported = await flows.importBundle(request.principal.merchantId, request.body.flows);
      reply.status(201);
      return succeed(
        imported.map(({ id, name, definitionVersion }) => ({ id, name, draftVersion: definitionVersion })),
      );
    },
  );
}
