import type { Database } from '@switchyard/database';
import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { MetricsExporterTables } from '../database/tables.ts';

const Period = Type.Union([Type.Literal('day'), Type.Literal('week'), Type.Literal('month')]);
const Epoch = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const Snapshot = Type.Object({
  owner: Type.String({ description: 'The service whose facts were counted.' }),
  period: Period,
  startsAtMs: Type.Integer(),
  endsAtMs: Type.Integer(),
  figures: Type.Record(Type.String(), Type.Number()),
  recordedAtMs: Type.Integer(),
});

/** The route to the analytics snapshots of a merchant. */
export function registerSnapshots(
  app: ServiceApp,
  deps: { database: Database<MetricsExporterTables> },
): void {
  const { database } = deps;
  app.get(
    '/api/v1/analytics/snapshots',
    {
      preHandler: requireScope('analytics:read'),
      schema: {
        tags: ['analytics'],
        summary: 'Lists the snapshots of finished periods, oldest first.',
        querystring: Type.Object({
          period: Period,
          from: Type.Optional({ ...Epoch, description: 'Periods that start at this time or later, in ms.' }),
          to: Type.Optional({ ...Epoch, description: 'Periods that start before this time, in ms.' }),
          owner: Type.Optional(Type.String({ maxLength: 191 })),
          cursor: Type.Optional(Type.String({ maxLength: 220, pattern: '^\\d{1,16}\\..*$' })),
          limit: Type.Integer({ minimum: 1, maximum: 1000, default: 366 }),
        }),
        response: {
          200: ok(
            Type.Object({
              snapshots: Type.Array(Snapshot),
              nextCursor: Type.Union([Type.String(), Type.Null()]),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { period, from, to, owner, cursor, limit } = request.query;
      let query = database.db
        .selectFrom('analyticsSnapshots')
        .selectAll()
        .where('merchantId', '=', request.principal.merchantId)
        .where('period', '=', period);
      if (from !== undefined) query = query.where('startsAtMs', '>=', from);
      if (to !== undefined) query = query.where('startsAtMs', '<', to);
      if (owner !== undefined) query = query.where('owner', '=', owner);
      if (cursor !== undefined) {
        const dot = cursor.indexOf('.');
        const startsAtMs = Number(cursor.slice(0, dot));
        query = query.where((where) =>
          where.or([
            where('startsAtMs', '>', startsAtMs),
            where.and([where('startsAtMs', '=', startsAtMs), where('owner', '>', cursor.slice(dot + 1))]),
          ]),
        );
      }
      const rows = await query.orderBy('startsAtMs').orderBy('owner').limit(limit).execute();
      const last = rows.length === limit ? rows.at(-1) : undefined;
      return succeed({
        snapshots: rows.map(({ merchantId: _, figures, ...row }) => ({
          ...row,
          figures: JSON.parse(figures) as Record<string, number>,
        })),
        nextCursor: last ? `${last.startsAtMs}.${last.owner}` : null,
      });
    },
  );
}
