import { createId } from '@switchyard/runtime';
import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { inPeopleScope, type PeopleScope } from '../contacts/contact-book.ts';
import { editTags, tellOfContact } from '../contacts/contact-edits.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import { decide } from '../contacts/decide.ts';
import { mergeContacts } from '../contacts/merge-contacts.ts';
import { optIn, optOut } from '../contacts/opt-out.ts';
import { changeContact, createContact, readIdentifierFields } from '../contacts/save-contact.ts';
import { recordUnknown } from '../errors.ts';
import { presentContact } from './contact-routes.ts';
import {
  ChangeContactBody,
  ConsentBody,
  ConsentEntry,
  CreateContactBody,
  MergeEntry,
  TagsBody,
} from './contact-schemas.ts';
import { pageOf, parseCursor } from './cursor.ts';
import { findContact } from './find-contact.ts';
import type { RouteParts } from './register-routes.ts';
import { ContactView, IdParams, page, pageQuery } from './schemas.ts';

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
  { additionalProperties: false },
);

/** Contacts made and changed by the merchant's own systems. */
export function registerContactEditRoutes(app: ServiceApp, { store, settings }: RouteParts): void {
  const { db, dialect } = store;
  const tags = ['contacts'];
  const write = requireScope('contacts:write');

  app.post(
    '/api/v1/contacts',
    {
      onRequest: write,
      schema: {
        tags,
        summary: 'Make a contact, or change the one that has the identifier',
        body: CreateContactBody,
        response: { 200: ok(ContactView), 201: ok(ContactView) },
      },
    },
    async ({ body, principal }, reply) => {
      const { merchantId } = principal;
      const { onExisting = 'refuse', consents, ...draft } = body;
      const identifiers = readIdentifierFields(draft, (await settings.of(merchantId)).defaultCountry);
      const { contact, isNew } = await inPeopleScope(store, async (scope) => {
        const nowMs = store.now();
        const decisions = consents?.map((each) => ({ ...each, decidedAtMs: each.decidedAtMs ?? nowMs }));
        return await createContact(
          scope,
          dialect,
          { merchantId, draft: { ...draft, consents: decisions }, identifiers },
          { onExisting, edit: { editId: createId('chg', nowMs) } },
          nowMs,
        );
      });
      reply.code(isNew ? 201 : 200);
      return succeed(presentContact(contact));
    },
  );

  app.patch(
    '/api/v1/contacts/:id',
    {
      onRequest: write,
      schema: {
        tags,
        summary: 'Change a contact; null takes a value away',
        params: IdParams,
        body: ChangeContactBody,
        response: { 200: ok(ContactView) },
      },
    },
    async ({ params, body, principal }) => {
      const { defaultCountry } = await settings.of(principal.merchantId);
      const identifiers = readIdentifierFields(body, defaultCountry);
      return succeed(
        await change(principal.merchantId, params.id, (scope, contact, nowMs, editId) =>
          changeContact(scope, dialect, contact, { draft: body, identifiers }, { editId }, nowMs),
        ),
      );
    },
  );

  app.post(
    '/api/v1/contacts/:id/tags',
    {
      onRequest: write,
      schema: {
        tags,
        summary: 'Add and remove tags',
        params: IdParams,
        body: TagsBody,
        response: { 200: ok(ContactView) },
      },
    },
    async ({ params, body, principal }) =>
      succeed(
        await change(principal.merchantId, params.id, async (scope, contact, nowMs, editId) => {
          if (await editTags(scope, dialect, contact, body, { editId }, nowMs))
            tellOfContact(scope, contact, 'updated', { editId }, nowMs);
        }),
      ),
  );

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
        querystring: Type.Object(pageQuery),
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

  app.post(
    '/api/v1/contacts/:id/merge',
    {
      onRequest: write,
      schema: {
        tags,
        summary: 'Make two contacts one: the older stays, and the id of the other leads to it',
        params: IdParams,
        body: Type.Object(
          { contactId: Type.String({ minLength: 1, maxLength: 191 }) },
          { additionalProperties: false },
        ),
        response: { 200: ok(ContactView) },
      },
    },
    async ({ params, body, principal }) => {
      const { merchantId } = principal;
      const merged = await inPeopleScope(store, async (scope) => {
        const found = await scope.people.lock(merchantId, [params.id, body.contactId]);
        const a = found.get(params.id);
        const b = found.get(body.contactId);
        if (!a || !b)
          throw recordUnknown('there is no contact with this id', {
            details: { id: a ? body.contactId : params.id },
          });
        return await mergeContacts(scope, dialect, [a, b], 'person', store.now());
      });
      return succeed(presentContact(merged));
    },
  );

  app.get(
    '/api/v1/contacts/:id/merges',
    {
      onRequest: requireScope('contacts:read'),
      schema: {
        tags,
        summary: 'The contacts that became this one',
        params: IdParams,
        response: { 200: ok(Type.Object({ items: Type.Array(MergeEntry) })) },
      },
    },
    async ({ params, principal }) => {
      const contact = await findContact(db, principal.merchantId, params.id);
      const rows = await db
        .selectFrom('contact_merges')
        .selectAll()
        .where('survivorId', '=', contact.id)
        .orderBy('mergedAtMs')
        .orderBy('mergedId')
        .limit(200)
        .execute();
      return succeed({
        items: rows.map(({ mergedId, cause, mergedAtMs, snapshot }) => ({
          ...{ mergedId, cause, mergedAtMs },
          snapshot: JSON.parse(snapshot) as Record<string, unknown>,
        })),
      });
    },
  );

  /** Changes a contact in one transaction. @returns it as it then is. @throws RECORD_UNKNOWN */
  async function change(
    merchantId: string,
    id: string,
    work: (scope: PeopleScope, contact: ContactRow, nowMs: number, editId: string) => unknown,
  ) {
    return await inPeopleScope(store, async (scope) => {
      const contact = (await scope.people.lock(merchantId, [id])).get(id);
      if (!contact) throw recordUnknown('there is no contact with this id');
      const nowMs = store.now();
      await work(scope, contact, nowMs, createId('chg', nowMs));
      return presentContact(contact);
    });
  }
}
