import type { Database } from '@switchyard/database';
import { adminScope, ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { NotifierTables } from '../database/tables.ts';

const Severity = Type.Union([Type.Literal('info'), Type.Literal('warning'), Type.Literal('critical')]);

/** The route for what the operators were told. */
export function registerNotifications(app: ServiceApp, deps: { database: Database<NotifierTables> }): void {
  app.get(
    '/api/v1/notifications',
    {
      preHandler: requireScope(adminScope),
      schema: {
        tags: ['notifications'],
        summary: 'Lists what the operators were told, newest first.',
        querystring: Type.Object({
          severity: Type.Optional(Severity),
          limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
        }),
        response: {
          200: ok(
            Type.Array(
              Type.Object({
                id: Type.String(),
                merchantId: Type.Union([Type.String(), Type.Null()]),
                key: Type.String(),
                severity: Severity,
                title: Type.String(),
                body: Type.Union([Type.String(), Type.Null()]),
                occurredAtMs: Type.Integer(),
                recordedAtMs: Type.Integer(),
              }),
            ),
          ),
        },
      },
    },
    async (request) => {
      const { severity, limit } = request.query;
      let query = deps.database.db.selectFrom('notifications').selectAll();
      if (severity !== undefined) query = query.where('severity', '=', severity);
      return succeed(
        await query.orderBy('recordedAtMs', 'desc').orderBy('id', 'desc').limit(limit).execute(),
      );
    },
  );
}
