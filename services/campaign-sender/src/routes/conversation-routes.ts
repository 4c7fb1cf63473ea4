import { jobMetaOf, ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { createContactBook } from '../contacts/contact-book.ts';
import { listConversations } from '../conversations/list-conversations.ts';
import { readMediaOf, readMessages } from '../conversations/read-messages.ts';
import { handOverToPerson } from '../conversations/set-handover.ts';
import { contactUnreachable } from '../errors.ts';
import { acceptRequests } from '../messages/accept-requests.ts';
import { ConversationMessage, ConversationView, HandlerSchema, ReplyBody } from './conversation-schemas.ts';
import { pageOf, parseCursor } from './cursor.ts';
import { findContact } from './find-contact.ts';
import { presentMedia } from './inbound-media-routes.ts';
import { presentMessage } from './message-routes.ts';
import { parsePlace, presentConversations, viewConversation } from './present-conversations.ts';
import type { RouteParts } from './register-routes.ts';
import { closed, IdParams, MessageStateSchema, page, pageQuery } from './schemas.ts';

/** Conversations: list them, read them, answer in them. */
export function registerConversationRoutes(app: ServiceApp, parts: RouteParts): void {
  const { store, settings } = parts;
  const { db } = store;
  const tags = ['conversations'];

  app.get(
    '/api/v1/conversations',
    {
      onRequest: requireScope('conversations:read'),
      schema: {
        tags,
        summary: 'List conversations, where the person wrote last first',
        querystring: Type.Object(
          {
            ...pageQuery,
            handler: Type.Optional(HandlerSchema),
            handlerUserId: Type.Optional(Type.String({ maxLength: 191 })),
            senderId: Type.Optional(Type.String({ maxLength: 191 })),
            unread: Type.Optional(Type.Boolean()),
            tag: Type.Optional(Type.String({ maxLength: 64 })),
          },
          closed,
        ),
        response: { 200: ok(page(ConversationView)) },
      },
    },
    async ({ query, principal }) => {
      const { limit, cursor, ...filter } = query;
      const found = await listConversations(
        db,
        { merchantId: principal.merchantId, ...filter },
        { after: parsePlace(cursor), limit: limit + 1, nowMs: store.now() },
      );
      const views = await presentConversations(db, found.slice(0, limit), store.now());
      const placed = found.map((row) => ({ row, view: views.get(row.id)! }));
      return succeed(
        pageOf(
          placed,
          limit,
          ({ row }) => `${row.lastInboundAtMs}.${row.id}`,
          ({ view }) => view,
        ),
      );
    },
  );

  app.get(
    '/api/v1/conversations/:id',
    {
      onRequest: requireScope('conversations:read'),
      schema: {
        tags,
        summary: 'Look a conversation up, by the contact’s id',
        params: IdParams,
        response: { 200: ok(ConversationView) },
      },
    },
    async ({ params, principal }) => succeed(await viewConversation(store, principal.merchantId, params.id)),
  );

  app.get(
    '/api/v1/conversations/:id/messages',
    {
      onRequest: requireScope('conversations:read'),
      schema: {
        tags,
        summary:
          'The messages of a conversation, both ways, latest first, in the order in which we accepted them',
        params: IdParams,
        querystring: Type.Object(pageQuery, closed),
        response: { 200: ok(page(ConversationMessage)) },
      },
    },
    async ({ params, query, principal }) => {
      const contact = await findContact(db, principal.merchantId, params.id);
      const { limit } = query;
      const rows = await readMessages(db, contact.id, {
        before: parseCursor(query.cursor),
        limit: limit + 1,
      });
      const media = await readMediaOf(
        db,
        rows.filter(({ direction }) => direction === 'in').map(({ id }) => id),
      );
      return succeed(
        pageOf(
          rows,
          limit,
          ({ id }) => id,
          (row) => ({
            ...presentMessage(row),
            sequence: row.sequence,
            origin: row.origin === null ? null : (JSON.parse(row.origin) as Record<string, unknown>),
            media: media.has(row.id) ? presentMedia(media.get(row.id)!) : null,
          }),
        ),
      );
    },
  );

  app.post(
    '/api/v1/conversations/:id/messages',
    {
      onRequest: requireScope('conversations:write', 'messages:write'),
      schema: {
        tags,
        summary: 'Reply as a person, which hands the conversation over: flows rest for as long as is set',
        params: IdParams,
        headers: Type.Object({
          'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
        }),
        body: ReplyBody,
        response: { 202: ok(Type.Object({ id: Type.String(), state: MessageStateSchema })) },
      },
    },
    async (request, reply) => {
      const { principal, params, body } = request;
      const { merchantId } = principal;
      const contact = await findContact(db, merchantId, params.id);
      const { userId = principal.subject, keepAutomation = false, ...message } = body;
      const to = contact.phone ?? contact.userId;
      if (to === null)
        throw contactUnreachable('this contact has neither a phone number nor a user id', { details: {} });
      const own = await settings.of(merchantId);
      const senderId = message.senderId ?? (await latestSender(contact.id));
      const { messages } = await acceptRequests(parts, {
        merchantId,
        idempotencyKey: request.headers['idempotency-key'],
        body: { ...body, to: contact.id },
        meta: jobMetaOf(request),
        origin: { kind: 'person', userId },
        messages: [
          { ...message, to, contactId: contact.id, ...(senderId === undefined ? {} : { senderId }) },
        ],
        alongside: async (scope) => {
          const people = createContactBook(scope, store);
          const row = (await people.lock(merchantId, [contact.id])).get(contact.id);
          if (!row) return;
          row.unreadCount = 0;
          people.touch(row);
          if (!keepAutomation)
            handOverToPerson({ ...scope, people }, row, { byUser: userId, settings: own }, store.now());
          await people.save();
        },
      });
      reply.code(202);
      return succeed(messages[0]!);
    },
  );

  /** The number the person wrote to last. */
  async function latestSender(contactId: string): Promise<string | undefined> {
    const row = await db
      .selectFrom('conversations')
      .select('senderId')
      .where('contactId', '=', contactId)
      .orderBy('lastInboundAtMs', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row?.senderId;
  }
}
