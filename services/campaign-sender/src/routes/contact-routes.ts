import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { type Identifier, parseAddress } from '../contacts/address.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import { readMessages } from '../conversations/read-messages.ts';
import { pageOf, parseCursor } from './cursor.ts';
import { findContact } from './find-contact.ts';
import { presentMessage } from './message-routes.ts';
import type { RouteParts } from './register-routes.ts';
import { ContactDetail, ContactView, closed, IdParams, MessageView, page, pageQuery } from './schemas.ts';

/** A contact as the API shows it. */
export function presentContact(row: ContactRow) {
  const { id, name, phone, userId, username, email, shopifyCustomerId, externalId } = row;
  const { language, timeZone, createdAtMs, updatedAtMs } = row;
  return {
    ...{ id, name, phone, userId, username, email, shopifyCustomerId, externalId },
    ...{ language, timeZone, createdAtMs, updatedAtMs },
    optedOut: row.optedOut === 1,
    marketingOptedOut: row.marketingOptedOut === 1,
    tags: JSON.parse(row.tags) as string[],
    attributes: JSON.parse(row.attributes) as Record<string, unknown>,
  };
}

/** People and their conversations. */
export function registerContactRoutes(app: ServiceApp, { store }: RouteParts): void {
  const { db } = store;
  const tags = ['contacts'];

  app.get(
    '/api/v1/contacts',
    {
      onRequest: requireScope('contacts:read'),
      schema: {
        tags,
        summary: 'List contacts, latest first, or find one by its address',
        querystring: Type.Object(
          {
            ...pageQuery,
            address: Type.Optional(
              Type.String({ description: 'A phone number, a user id or a username', maxLength: 191 }),
            ),
            email: Type.Optional(Type.String({ maxLength: 191 })),
            shopifyCustomerId: Type.Optional(Type.String({ maxLength: 191 })),
            externalId: Type.Optional(Type.String({ maxLength: 191 })),
            tag: Type.Optional(Type.String({ maxLength: 64 })),
            optedOut: Type.Optional(Type.Boolean()),
            marketingOptedOut: Type.Optional(Type.Boolean()),
          },
          closed,
        ),
        response: { 200: ok(page(ContactView)) },
      },
    },
    async ({ query, principal }) => {
      const { limit, tag, optedOut, marketingOptedOut } = query;
      const { merchantId } = principal;
      const before = parseCursor(query.cursor);
      let rows = db.selectFrom('contacts').selectAll().where('merchantId', '=', merchantId);
      for (const identifier of identifiersIn(query))
        rows = rows.where('id', 'in', (inner) =>
          inner
            .selectFrom('contact_identifiers')
            .select('contactId')
            .where('merchantId', '=', merchantId)
            .where('kind', '=', identifier.kind)
            .where('value', '=', identifier.value),
        );
      if (tag !== undefined)
        rows = rows.where('id', 'in', (inner) =>
          inner
            .selectFrom('contact_tags')
            .select('contactId')
            .where('merchantId', '=', merchantId)
            .where('tag', '=', tag),
        );
      if (optedOut !== undefined) rows = rows.where('optedOut', '=', optedOut ? 1 : 0);
      if (marketingOptedOut !== undefined)
        rows = rows.where('marketingOptedOut', '=', marketingOptedOut ? 1 : 0);
      if (before !== undefined) rows = rows.where('id', '<', before);
      const found = await rows
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      return succeed(pageOf(found, limit, ({ id }) => id, presentContact));
    },
  );

  app.get(
    '/api/v1/contacts/:id',
    {
      onRequest: requireScope('contacts:read'),
      schema: { tags, summary: 'Look a contact up', params: IdParams, response: { 200: ok(ContactDetail) } },
    },
    async ({ params, principal }) => {
      const contact = await findContact(db, principal.merchantId, params.id);
      const [identifiers, consents, conversations] = await Promise.all([
        db
          .selectFrom('contact_identifiers')
          .select(['kind', 'value'])
          .where('contactId', '=', contact.id)
          .execute(),
        db
          .selectFrom('contact_consents')
          .select(['purpose', 'granted', 'source', 'decidedAtMs'])
          .where('contactId', '=', contact.id)
          .execute(),
        db
          .selectFrom('conversations')
          .select(['senderId', 'windowExpiresAtMs'])
          .where('contactId', '=', contact.id)
          .execute(),
      ]);
      return succeed({
        ...presentContact(contact),
        identifiers,
        consents: consents.map((row) => ({ ...row, granted: row.granted === 1 })),
        conversations,
      });
    },
  );

  app.get(
    '/api/v1/contacts/:id/messages',
    {
      onRequest: requireScope('contacts:read', 'messages:read'),
      schema: {
        tags,
        summary: 'The conversation with a contact, latest first, in the order in which we accepted it',
        params: IdParams,
        querystring: Type.Object(pageQuery, closed),
        response: { 200: ok(page(MessageView)) },
      },
    },
    async ({ params, query, principal }) => {
      const contact = await findContact(db, principal.merchantId, params.id);
      const found = await readMessages(db, contact.id, {
        before: parseCursor(query.cursor),
        limit: query.limit + 1,
      });
      return succeed(pageOf(found, query.limit, ({ id }) => id, presentMessage));
    },
  );
}

/** Identifiers that a list is asked for. */
function identifiersIn(query: {
  address?: string;
  email?: string;
  shopifyCustomerId?: string;
  externalId?: string;
}): Identifier[] {
  const { address, email, shopifyCustomerId, externalId } = query;
  return [
    ...(address === undefined
      ? []
      : [parseAddress(address) ?? ({ kind: 'username', value: address } as const)]),
    ...(email === undefined ? [] : [{ kind: 'email', value: email.trim().toLowerCase() } as const]),
    ...(shopifyCustomerId === undefined
      ? []
      : [{ kind: 'shopify_customer_id', value: shopifyCustomerId } as const]),
    ...(externalId === undefined ? [] : [{ kind: 'external_id', value: externalId } as const]),
  ];
}
