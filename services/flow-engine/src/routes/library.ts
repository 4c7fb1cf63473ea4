import { flowLibrary } from '@switchyard/flows';
import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { FlowStore } from '../definitions/create-flow-store.ts';
import { installReadyMade } from '../definitions/install-ready-made.ts';

/** Routes for ready-made flows. */
export function registerLibrary(app: ServiceApp, { flows }: { flows: FlowStore }): void {
  const tags = ['flow library'];

  app.get(
    '/api/v1/flow-library',
    {
      preHandler: requireScope('flows:read'),
      schema: {
        tags,
        summary: 'Lists ready-made flows, with what can be set and the flow tests that each passes.',
        response: {
          200: ok(
            Type.Array(
              Type.Object({
                name: Type.String(),
                description: Type.String(),
                settings: Type.Unknown({ description: 'JSON Schema, with defaults.' }),
                tests: Type.Array(Type.Unknown()),
              }),
            ),
          ),
        },
      },
    },
    async () =>
      succeed(
        flowLibrary.map(({ name, description, settings, tests }) => ({ name, description, settings, tests })),
      ),
  );

  app.post(
    '/api/v1/flow-library/:name/install',
    {
      preHandler: requireScope('flows:write'),
      schema: {
        tags,
        summary: 'Installs a ready-made flow and publishes it; again, it becomes a new version of that flow.',
        params: Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }) }),
        body: Type.Object(
          { settings: Type.Optional(Type.Record(Type.String(), Type.Unknown())) },
          { additionalProperties: false },
        ),
        response: {
          200: ok(
            Type.Object({
              flowId: Type.String(),
              name: Type.String(),
              version: Type.Integer(),
              outcome: Type.Union([
                Type.Literal('installed'),
                Type.Literal('changed'),
                Type.Literal('unchanged'),
              ]),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { merchantId } = request.principal;
      const { settings = {} } = request.body;
      const { flow, outcome } = await installReadyMade(flows, merchantId, request.params.name, settings);
      const { id, name, publishedVersion } = flow;
      return succeed({ flowId: id, name, version: publishedVersion ?? flow.definitionVersion, outcome });
    },
  );
}
