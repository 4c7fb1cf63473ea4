import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { decide } from '../contacts/decide.ts';
import { optIn, optOut } from '../contacts/opt-out.ts';
import { createContactChanger } from './contact-changer.ts';
import { ConsentBody, ConsentEntry } from './contact-schemas.ts';
import { pageOf, parseCursor } from './cursor.ts';
import { findContact } from './find-contact.ts';
import type { RouteParts } from './register-routes.ts';
import { ContactView, closed, IdParams, page, pageQuery } from './schemas.ts';

const Source = Type.Object(
  {
    source: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        description: 'Who or what says so; the caller by default',
      }),
    ),
  },
  closed,
);

/** What people have decided: consents, opt-outs, and taking them back. */
export function registerConsentRoutes(app: ServiceApp, { store }: RouteParts): void {
  const { db, dialect } = store;
  const tags = ['contacts'];
  const write = requireScope('contacts:write');
  const change = createContactChanger(store);

  app.post(
    '/api/v1/contacts/:id/consents',
    {
      onRequest: write,
      schema: {
        tags,
        summary: 'Record a decision of the person for a purpose',
        description: 'Kept in the history. The decision with the latest time counts.',
        params: IdParams,
        body: ConsentBody,
        response: { 200: ok(ContactView) },
      },
    },
    async ({ params, body, principal }) =>
      succeed(
        await change(principal.merchantId, params.id, (scope, contact, nowMs) =>
          decide(scope, dialect, contact, { ...body, decidedAtMs: body.decidedAtMs ?? nowMs }, nowMs),
        ),
      ),
  );

  app.get(
    '/api/v1/contacts/:id/consents',
    {
      onRequest: requireScope('contacts:read'),
      schema: {
        tags,
        summary: 'Every decision of the person, latest first',
        params: IdParams,
        querystring: Type.Object(pageQuery, closed),
        response: { 200: ok(page(ConsentEntry)) },
      },
    },
    async ({ params, query, principal }) => {
      const contact = await findContact(db, principal.merchantId, params.id);
      const before = parseCursor(query.cursor);
      let rows = db.selectFrom('consent_history').selectAll().where('contactId', '=', contact.id);
      if (before !== undefined) rows = rows.where('id', '<', before);
      const found = await rows
        .orderBy('id', 'desc')
        .limit(query.limit + 1)
        .execute();
      return succeed(
        pageOf(
          found,
          query.limit,
          ({ id }) => id,
          ({ purpose, granted, source, decidedAtMs, recordedAtMs }) => ({
            ...{ purpose, granted: granted === 1, source, decidedAtMs, recordedAtMs },
          }),
        ),
      );
    },
  );

  app.post(
    '/api/v1/contacts/:id/opt-out',
    {
      onRequest: write,
      schema: {
        tags,
        summary: 'End all messages to a contact; each of its addresses is suppressed',
        params: IdParams,
        body: Type.Union([Source, Type.Null()]),
        response: { 200: ok(ContactView) },
      },
    },
    async ({ params, body, principal }) =>
      succeed(
        await change(principal.merchantId, params.id, (scope, contact, nowMs) =>
          optOut(
            scope,
            dialect,
            contact,
            { reason: 'person', source: body?.source ?? principal.subject },
            nowMs,
          ),
        ),
      ),
  );

  app.post(
    '/api/v1/contacts/:id/opt-in',
    {
      onRequest: write,
      schema: {
        tags,
        summary: 'Take an opt-out back, with all suppressions of the contact',
        params: IdParams,
        body: Type.Union([Source, Type.Null()]),
        response: { 200: ok(ContactView) },
      },
    },
    async ({ params, body, principal }) =>
      succeed(
        await change(principal.merchantId, params.id, (scope, contact, nowMs) =>
          optIn(scope, dialect, contact, { source: body?.source ?? principal.subject }, nowMs),
        ),
      ),
  );
}
