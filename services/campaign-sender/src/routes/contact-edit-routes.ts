import { createId } from '@switchyard/runtime';
import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { inPeopleScope } from '../contacts/contact-book.ts';
import { editTags, tellOfContact } from '../contacts/contact-edits.ts';
import { mergeContacts } from '../contacts/merge-contacts.ts';
import { changeContact, createContact, readIdentifierFields } from '../contacts/save-contact.ts';
import { recordUnknown } from '../errors.ts';
import { createContactChanger } from './contact-changer.ts';
import { presentContact } from './contact-routes.ts';
import { ChangeContactBody, CreateContactBody, MergeEntry, TagsBody } from './contact-schemas.ts';
import { findContact } from './find-contact.ts';
import type { RouteParts } from './register-routes.ts';
import { ContactView, closed, IdParams } from './schemas.ts';

/** Contacts made and changed by the merchant's own systems. */
export function registerContactEditRoutes(app: ServiceApp, { store, settings }: RouteParts): void {
  const { db, dialect } = store;
  const tags = ['contacts'];
  const write = requireScope('contacts:write');
  const change = createContactChanger(store);

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
    '/api/v1/contacts/:id/merge',
    {
      onRequest: write,
      schema: {
        tags,
        summary: 'Make two contacts one: the older stays, and the id of the other leads to it',
        params: IdParams,
        body: Type.Object({ contactId: Type.String({ minLength: 1, maxLength: 191 }) }, closed),
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
}
