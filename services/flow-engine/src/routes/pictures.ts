import { toMermaid, toSvg } from '@switchyard/flows';
import { requireScope, type ServiceApp } from '@switchyard/service-kit';
import Type from 'typebox';
import type { FlowStore } from '../definitions/create-flow-store.ts';

const drawn = {
  svg: { type: 'image/svg+xml; charset=utf-8', draw: toSvg },
  mermaid: { type: 'text/plain; charset=utf-8', draw: toMermaid },
} as const;

/** The route for pictures of flows. */
export function registerPictures(app: ServiceApp, { flows }: { flows: FlowStore }): void {
  app.get(
    '/api/v1/flows/:id/picture',
    {
      preHandler: requireScope('flows:read'),
      schema: {
        tags: ['flows'],
        summary: 'Draws a flow: an SVG picture, or the source of a Mermaid flowchart.',
        params: Type.Object({ id: Type.String({ maxLength: 191 }) }),
        querystring: Type.Object({
          format: Type.Union([Type.Literal('svg'), Type.Literal('mermaid')], { default: 'svg' }),
          version: Type.Optional(
            Type.Integer({ minimum: 1, description: 'The published one, else the newest, by default.' }),
          ),
        }),
        response: {
          200: {
            description: 'The picture.',
            content: {
              'image/svg+xml': { schema: Type.String() },
              'text/plain': { schema: Type.String() },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { format, version } = request.query;
      const { definition } = await flows.get(request.principal.merchantId, request.params.id, version);
      const { type, draw } = drawn[format];
      // What a merchant wrote is opened on this origin: nothing in it may run, even if escaping had a hole.
      reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox");
      reply.header('x-content-type-options', 'nosniff');
      return reply.type(type).send(draw(definition));
    },
  );
}
