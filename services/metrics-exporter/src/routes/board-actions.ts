import { adminScope, ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { BoardAudit } from '../board/create-board-audit.ts';

const Nullable = Type.Union([Type.String(), Type.Null()]);
const Action = Type.Object({
  id: Type.String(),
  operator: Type.String(),
  method: Type.String(),
  action: Type.String({ description: 'The route of the dashboard.' }),
  queue: Nullable,
  jobId: Nullable,
  params: Type.String({ description: 'What else was named, as JSON.' }),
  status: Type.Union([Type.Integer(), Type.Null()], {
    description: 'HTTP status of the answer; null when the end is not known.',
  }),
  requestId: Type.String(),
  correlationId: Type.String(),
  address: Type.String(),
  atMs: Type.Integer(),
});

/** The route to what operators did on the dashboard. It reaches over all merchants, so only an admin may read it. */
export function registerBoardActions(app: ServiceApp, deps: { audit: BoardAudit }): void {
  app.get(
    '/api/v1/queues/actions',
    {
      preHandler: requireScope(adminScope),
      schema: {
        tags: ['queues'],
        summary: "Lists operators' actions on the dashboard, newest first.",
        querystring: Type.Object({
          cursor: Type.Optional(Type.String({ maxLength: 191 })),
          limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
        }),
        response: { 200: ok(Type.Object({ actions: Type.Array(Action), nextCursor: Nullable })) },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const actions = await deps.audit.list({ before: cursor, limit });
      return succeed({ actions, nextCursor: actions.length === limit ? (actions.at(-1)?.id ?? null) : null });
    },
  );
}
