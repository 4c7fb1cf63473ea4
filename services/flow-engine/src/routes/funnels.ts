import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { FlowStore } from '../definitions/create-flow-store.ts';
import type { FlowStatistics } from '../statistics/create-flow-statistics.ts';

const count = (description: string) => Type.Integer({ minimum: 0, description });
const Counts = {
  waiting: count('Waiting now, whatever the days.'),
  finished: count('Came to an end of the flow.'),
  failed: count('Failed.'),
  cancelled: count('Were ended from outside: by the API, an opt-out, another flow, an erasure.'),
  dropped: count('Ended without having finished: failed or cancelled.'),
};

/** The route for how the runs of a flow fare. */
export function registerFunnels(
  app: ServiceApp,
  { flows, statistics }: { flows: FlowStore; statistics: FlowStatistics },
): void {
  app.get(
    '/api/v1/flows/:id/funnel',
    {
      preHandler: requireScope('flows:read'),
      schema: {
        tags: ['flows'],
        summary: 'How the runs of a flow fare, and where they are lost: entered, waiting, finished, dropped.',
        description:
          'Counted with the runs themselves. Over all days, what has entered is what waits, has finished and was dropped.',
        params: Type.Object({ id: Type.String({ maxLength: 191 }) }),
        querystring: Type.Object({
          version: Type.Optional(Type.Integer({ minimum: 1, description: 'All versions by default.' })),
          from: Type.Optional(Type.String({ format: 'date', description: 'The first day, UTC.' })),
          to: Type.Optional(Type.String({ format: 'date', description: 'The last day, UTC.' })),
        }),
        response: {
          200: ok(
            Type.Object({
              flowId: Type.String(),
              entered: count('Runs that were started.'),
              ...Counts,
              nodes: Type.Array(
                Type.Object({
                  node: Type.String(),
                  entered: count('Times that the node was executed.'),
                  ...Counts,
                  waiting: count('Runs that wait at the node now.'),
                  dropped: count('Runs that ended here without having finished.'),
                }),
              ),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { version, from, to } = request.query;
      const { id } = request.params;
      const { definition } = await flows.get(request.principal.merchantId, id, version);
      const { nodes, ...flow } = await statistics.funnel(id, {
        version,
        fromMs: from === undefined ? undefined : Date.parse(from),
        toMs: to === undefined ? undefined : Date.parse(to),
      });
      // In the order of the definition; nodes of other versions come last.
      const order = Object.keys(definition.nodes);
      const place = (node: string) => (order.includes(node) ? order.indexOf(node) : order.length);
      const sorted = nodes.toSorted((a, b) => place(a.node) - place(b.node));
      return succeed({ flowId: id, ...flow, nodes: sorted });
    },
  );
}
