import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { parseAddress } from '../contacts/address.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import { recordUnknown } from '../errors.ts';
import { pageOf, parseCursor } from './cursor.ts';
import { presentMessage } from './message-routes.ts';
import type { RouteParts } from './register-routes.ts';
import { ContactDetail, ContactView, IdParams, MessageView, page, pageQuery } from './schemas.ts';

function presentContact(row: ContactRow) {
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
        querystring: Type.Object({
          ...pageQuery,
          address: Type.Optional(Type.String({ description: 'A phone number or a user id' })),
          optedOut: Type.Optional(Type.Boolean()),
        }),
        response: { 200: ok(page(ContactView)) },
      },
    },
    async ({ query, principal }) => {
      const { limit, address, optedOut } = query;
      const before = parseCursor(query.cursor);
      let rows = db.selectFrom('contacts').selectAll().where('merchantId', '=', principal.merchantId);
      if (address !== undefined) {
        const identifier = parseAddress(address) ?? { kind: 'username', value: address };
        rows = rows.where('id', 'in', (inner) =>
          inner
            .selectFrom('contact_identifiers')
            .select('contactId')
            .where('merchantId', '=', principal.merchantId)
            .where('kind', '=', identifier.kind)
            .where('value', '=', identifier.value),
        );
      }
      if (optedOut !== undefined) rows = rows.where('optedOut', '=', optedOut ? 1 : 0);
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
      const contact = await find(params.id, principal.merchantId);
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
        querystring: Type.Object(pageQuery),
        response: { 200: ok(page(MessageView)) },
      },
    },
    async ({ params, query, principal }) => {
      const contact = await find(params.id, principal.merchantId);
      const before = parseCursor(query.cursor);
      const anchor =
        before === undefined
          ? undefined
          : await db.selectFrom('messages').select('createdAtMs').where('id', '=', before).executeTakeFirst();
      let rows = db.selectFrom('messages').selectAll().where('contactId', '=', contact.id);
      // Not every id sorts by time: a caller may give one of his own.
      if (before !== undefined && anchor)
        rows = rows.where((where) =>
          where.or([
            where('createdAtMs', '<', anchor.createdAtMs),
            where.and([where('createdAtMs', '=', anchor.createdAtMs), where('id', '<', before)]),
          ]),
        );
      const found = await rows
        .orderBy('createdAtMs', 'desc')
        .orderBy('id', 'desc')
        .limit(query.limit + 1)
        .execute();
      return succeed(pageOf(found, query.limit, ({ id }) => id, presentMessage));
    },
  );

  async function find(id: string, merchantId: string): Promise<ContactRow> {
    const row = await db
      .selectFrom('contacts')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!row) throw recordUnknown('there is no contact with this id');
    return row;
  }
}
