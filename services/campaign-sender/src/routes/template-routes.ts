import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import type { Selectable } from 'kysely';
import Type from 'typebox';
import type { TemplatesTable } from '../database/tables.ts';
import { recordUnknown } from '../errors.ts';
import { placeholdersOf } from '../templates/check-template.ts';
import { type DefinedComponent, sendabilityOf } from '../templates/template-facts.ts';
import { pageOf, parseCursor } from './cursor.ts';
import { TemplateDetail, TemplateView } from './provider-schemas.ts';
import type { RouteParts } from './register-routes.ts';
import { closed, IdParams, page, pageQuery } from './schemas.ts';

function presentTemplate(row: Selectable<TemplatesTable>) {
  const { id, wabaId, name, language, status, statusReason, statusAtMs, category, quality } = row;
  const { providerTemplateId, syncedAtMs, createdAtMs, updatedAtMs } = row;
  return {
    ...{ id, wabaId, name, language, status, statusReason, statusAtMs, category, quality },
    ...{ providerTemplateId, syncedAtMs, createdAtMs, updatedAtMs },
    sendability: sendabilityOf(status),
    parameterFormat: row.isNamed === 1 ? ('named' as const) : ('positional' as const),
  };
}

function presentDetail(row: Selectable<TemplatesTable>) {
  const components = row.components === null ? null : (JSON.parse(row.components) as DefinedComponent[]);
  return {
    ...presentTemplate(row),
    components: components as Record<string, unknown>[] | null,
    parameters: (components ?? []).flatMap(({ type, format, text, buttons }) => [
      ...placeholdersOf(text).map((name) => ({ component: type.toLowerCase(), name })),
      ...(type.toUpperCase() === 'HEADER' && format !== undefined && format.toUpperCase() !== 'TEXT'
        ? [{ component: 'header', name: format.toLowerCase() }]
        : []),
      ...(buttons ?? []).flatMap((button, index) =>
        placeholdersOf(button.url).map((name) => ({ component: `button ${index}`, name })),
      ),
    ]),
  };
}

/** Templates as the provider has them: list, look up, read again. */
export function registerTemplateRoutes(app: ServiceApp, { store, accounts }: RouteParts): void {
  const { db } = store;
  const tags = ['templates'];

  app.get(
    '/api/v1/templates',
    {
      onRequest: requireScope('templates:read'),
      schema: {
        tags,
        summary: 'List templates',
        querystring: Type.Object(
          {
            ...pageQuery,
            wabaId: Type.Optional(Type.String({ maxLength: 64 })),
            status: Type.Optional(Type.String({ maxLength: 32, description: 'Such as APPROVED' })),
            category: Type.Optional(Type.String({ maxLength: 32 })),
            language: Type.Optional(Type.String({ maxLength: 32 })),
            name: Type.Optional(Type.String({ maxLength: 512, description: 'The name, whole' })),
          },
          closed,
        ),
        response: { 200: ok(page(TemplateView)) },
      },
    },
    async ({ query, principal }) => {
      const { limit, cursor, language, ...same } = query;
      const after = parseCursor(cursor);
      let rows = db.selectFrom('templates').selectAll().where('merchantId', '=', principal.merchantId);
      for (const [column, value] of Object.entries(same))
        if (value !== undefined) rows = rows.where(column as 'name', '=', value);
      if (language !== undefined) rows = rows.where('language', '=', language.replace('-', '_'));
      if (after !== undefined) rows = rows.where('id', '>', after);
      const found = await rows
        .orderBy('id')
        .limit(limit + 1)
        .execute();
      return succeed(pageOf(found, limit, ({ id }) => id, presentTemplate));
    },
  );

  app.get(
    '/api/v1/templates/:id',
    {
      onRequest: requireScope('templates:read'),
      schema: {
        tags,
        summary: 'Look a template up, with its components and the parameters it needs',
        params: IdParams,
        response: { 200: ok(TemplateDetail) },
      },
    },
    async ({ params, principal }) => {
      const row = await db
        .selectFrom('templates')
        .selectAll()
        .where('id', '=', params.id)
        .where('merchantId', '=', principal.merchantId)
        .executeTakeFirst();
      if (!row) throw recordUnknown('there is no template with this id');
      return succeed(presentDetail(row));
    },
  );

  app.post(
    '/api/v1/templates/sync',
    {
      onRequest: requireScope('templates:write'),
      schema: {
        tags,
        summary: 'Read the templates and numbers of the accounts from the provider now',
        body: Type.Object(
          { wabaId: Type.Optional(Type.String({ maxLength: 64, description: 'All accounts where absent' })) },
          closed,
        ),
        response: {
          200: ok(
            Type.Object({
              accounts: Type.Array(
                Type.Object({
                  wabaId: Type.String(),
                  numbers: Type.Integer(),
                  templates: Type.Integer(),
                  changedTemplates: Type.Integer(),
                  problem: Type.Union([Type.String(), Type.Null()]),
                }),
              ),
            }),
          ),
        },
      },
    },
    async ({ body, principal }) => {
      const { merchantId } = principal;
      let query = db.selectFrom('whatsapp_accounts').select('wabaId').where('merchantId', '=', merchantId);
      if (body.wabaId !== undefined) query = query.where('wabaId', '=', body.wabaId);
      const rows = await query.orderBy('wabaId').limit(50).execute();
      if (rows.length === 0) throw recordUnknown('there is no such account');
      const reports = [];
      for (const { wabaId } of rows)
        reports.push({ wabaId, ...(await accounts.sync({ merchantId, wabaId })) });
      return succeed({ accounts: reports });
    },
  );
}
