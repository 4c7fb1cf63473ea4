import { jobMetaOf, ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { createContactBook, inPeopleScope } from '../contacts/contact-book.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import { activeHandler } from '../conversations/handler.ts';
import { listConversations } from '../conversations/list-conversations.ts';
import { readLatest, readMediaOf, readMessages } from '../conversations/read-messages.ts';
import { changeHands, handOverToPerson } from '../conversations/set-handover.ts';
import { contactUnreachable, cursorInvalid } from '../errors.ts';
import { acceptRequests } from '../messages/accept-requests.ts';
import { ConversationMessage, ConversationView, HandlerSchema, ReplyBody } from './conversation-schemas.ts';
import { pageOf, parseCursor } from './cursor.ts';
import { findContact } from './find-contact.ts';
import { presentMedia } from './inbound-media-routes.ts';
import { presentMessage } from './message-routes.ts';
import type { RouteParts } from './register-routes.ts';
import { IdParams, MessageStateSchema, page, pageQuery } from './schemas.ts';

const UserId = Type.Optional(
  Type.String({ minLength: 1, maxLength: 191, description: 'Who it is; the caller by default' }),
);

/** Conversations: read them, answer in them, hand them over and back. */
export function registerConversationRoutes(app: ServiceApp, parts: RouteParts): void {
  const { store, recorder, settings } = parts;
  const { db } = store;
  const tags = ['conversations'];

  app.get(
    '/api/v1/conversations',
    {
      onRequest: requireScope('conversations:read'),
      schema: {
        tags,
        summary: 'List conversations, where the person wrote last first',
        querystring: Type.Object({
          ...pageQuery,
          handler: Type.Optional(HandlerSchema),
          handlerUserId: Type.Optional(Type.String({ maxLength: 191 })),
          senderId: Type.Optional(Type.String({ maxLength: 191 })),
          unread: Type.Optional(Type.Boolean()),
          tag: Type.Optional(Type.String({ maxLength: 64 })),
        }),
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
      const views = await present(found.slice(0, limit));
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
    async ({ params, principal }) => succeed(await view(principal.merchantId, params.id)),
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
        querystring: Type.Object(pageQuery),
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
      const { messages } = await acceptRequests(store, recorder, {
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

  app.post(
    '/api/v1/conversations/:id/take',
    {
      onRequest: requireScope('conversations:write'),
      schema: {
        tags,
        summary: 'Take a conversation: flows rest until it is released, or for some minutes',
        params: IdParams,
        body: Type.Object(
          {
            minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 525_600 })),
            reason: Type.Optional(Type.String({ maxLength: 500 })),
            userId: UserId,
          },
          { additionalProperties: false },
        ),
        response: { 200: ok(ConversationView) },
      },
    },
    async ({ params, body, principal }) => {
      const { minutes, reason, userId = principal.subject } = body;
      await change(principal.merchantId, params.id, (scope, contact, nowMs) => {
        const untilMs = minutes === undefined ? undefined : nowMs + minutes * 60_000;
        changeHands(scope, contact, { handler: 'person', untilMs, byUser: userId, reason }, nowMs);
      });
      return succeed(await view(principal.merchantId, params.id));
    },
  );

  app.post(
    '/api/v1/conversations/:id/release',
    {
      onRequest: requireScope('conversations:write'),
      schema: {
        tags,
        summary: 'Give a conversation back to automation',
        params: IdParams,
        body: Type.Union([Type.Object({ userId: UserId }, { additionalProperties: false }), Type.Null()]),
        response: { 200: ok(ConversationView) },
      },
    },
    async ({ params, body, principal }) => {
      const byUser = body?.userId ?? principal.subject;
      await change(principal.merchantId, params.id, (scope, contact, nowMs) =>
        changeHands(scope, contact, { handler: 'automation', byUser }, nowMs),
      );
      return succeed(await view(principal.merchantId, params.id));
    },
  );

  app.post(
    '/api/v1/conversations/:id/read',
    {
      onRequest: requireScope('conversations:write'),
      schema: {
        tags,
        summary: 'Say that somebody has read it: nothing counts as unread any more',
        params: IdParams,
        response: { 200: ok(ConversationView) },
      },
    },
    async ({ params, principal }) => {
      await change(principal.merchantId, params.id, ({ people }, contact) => {
        contact.unreadCount = 0;
        people.touch(contact);
      });
      return succeed(await view(principal.merchantId, params.id));
    },
  );

  async function change(
    merchantId: string,
    id: string,
    work: (scope: Parameters<typeof changeHands>[0], contact: ContactRow, nowMs: number) => void,
  ): Promise<void> {
    const { id: contactId } = await findContact(db, merchantId, id);
    await inPeopleScope(store, async (scope) => {
      const contact = (await scope.people.lock(merchantId, [contactId])).get(contactId);
      if (contact) work(scope, contact, store.now());
    });
  }

  async function view(merchantId: string, id: string) {
    const contact = await findContact(db, merchantId, id);
    return (await present([contact])).get(contact.id)!;
  }

  /** Three statements, whatever the number of conversations. */
  async function present(contacts: readonly ContactRow[]) {
    const ids = contacts.map(({ id }) => id);
    const latest = await readLatest(db, ids);
    const windows =
      ids.length === 0
        ? []
        : await db
            .selectFrom('conversations')
            .select(['contactId', 'senderId', 'windowExpiresAtMs'])
            .where('contactId', 'in', ids)
            .execute();
    const nowMs = store.now();
    return new Map(
      contacts.map((row) => {
        const { id, name, phone, userId, username, unreadCount, lastInboundAtMs } = row;
        const handler = activeHandler(row, nowMs);
        const isPerson = handler === 'person';
        const last = latest.get(id);
        return [
          id,
          {
            ...{ id, name, phone, userId, username, optedOut: row.optedOut === 1, handler },
            handlerUserId: isPerson ? row.handlerUserId : null,
            handlerReason: isPerson ? row.handlerReason : null,
            handlerSinceMs: isPerson ? row.handlerSinceMs : null,
            handlerUntilMs: isPerson ? row.handlerUntilMs : null,
            ...{ unreadCount, lastInboundAtMs },
            windows: windows
              .filter(({ contactId }) => contactId === id)
              .map(({ senderId, windowExpiresAtMs }) => ({ senderId, windowExpiresAtMs })),
            lastMessage: last ? presentMessage(last) : null,
          },
        ] as const;
      }),
    );
  }

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

function parsePlace(cursor: string | undefined) {
  const text = parseCursor(cursor);
  if (text === undefined) return undefined;
  const [, lastInboundAtMs, id] = /^(\d{1,15})\.(.+)$/.exec(text) ?? [];
  if (lastInboundAtMs === undefined || id === undefined)
    throw cursorInvalid('this cursor was not returned by this list');
  return { lastInboundAtMs: Number(lastInboundAtMs), id };
}
