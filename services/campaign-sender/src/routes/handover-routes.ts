import { jobMetaOf, ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { inPeopleScope, type PeopleScope } from '../contacts/contact-book.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import { changeHands } from '../conversations/set-handover.ts';
import type { Executor } from '../database/scope.ts';
import { ConversationView } from './conversation-schemas.ts';
import { findContact } from './find-contact.ts';
import { viewConversation } from './present-conversations.ts';
import type { RouteParts } from './register-routes.ts';
import { closed, IdParams } from './schemas.ts';

const UserId = Type.Optional(
  Type.String({ minLength: 1, maxLength: 191, description: 'Who it is; the caller by default' }),
);

/** Conversations change hands: a person takes one, gives it back, or has read it. */
export function registerHandoverRoutes(app: ServiceApp, { store }: RouteParts): void {
  const tags = ['conversations'];

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
          closed,
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
      return succeed(await viewConversation(store, principal.merchantId, params.id));
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
        body: Type.Union([Type.Object({ userId: UserId }, closed), Type.Null()]),
        response: { 200: ok(ConversationView) },
      },
    },
    async ({ params, body, principal }) => {
      const byUser = body?.userId ?? principal.subject;
      await change(principal.merchantId, params.id, (scope, contact, nowMs) =>
        changeHands(scope, contact, { handler: 'automation', byUser }, nowMs),
      );
      return succeed(await viewConversation(store, principal.merchantId, params.id));
    },
  );

  app.post(
    '/api/v1/conversations/:id/read',
    {
      onRequest: requireScope('conversations:write'),
      schema: {
        tags,
        summary: 'Say that somebody has read it: nothing counts as unread any more',
        description:
          'The person is shown that the messages were read (blue ticks), unless `silent`, and with `typing` that an answer is being typed, for 25 seconds.',
        params: IdParams,
        body: Type.Union([
          Type.Object(
            { silent: Type.Optional(Type.Boolean()), typing: Type.Optional(Type.Boolean()) },
            closed,
          ),
          Type.Null(),
        ]),
        response: { 200: ok(ConversationView) },
      },
    },
    async (request) => {
      const { params, body, principal } = request;
      const { merchantId } = principal;
      const { silent = false, typing = false } = body ?? {};
      await change(merchantId, params.id, async ({ trx, people, enqueue }, contact) => {
        const isNews = contact.unreadCount > 0 || typing;
        contact.unreadCount = 0;
        people.touch(contact);
        const messageId = isNews && !silent ? await latestInbound(trx, contact.id) : undefined;
        if (messageId !== undefined)
          enqueue({
            queue: 'messages',
            name: 'mark-read',
            payload: { merchantId, messageId, ...(typing ? { typing } : {}) },
            meta: { ...jobMetaOf(request), merchantId },
          });
      });
      return succeed(await viewConversation(store, principal.merchantId, params.id));
    },
  );

  async function change(
    merchantId: string,
    id: string,
    work: (scope: PeopleScope, contact: ContactRow, nowMs: number) => unknown,
  ): Promise<void> {
    const { id: contactId } = await findContact(store.db, merchantId, id);
    await inPeopleScope(store, async (scope) => {
      const contact = (await scope.people.lock(merchantId, [contactId])).get(contactId);
      if (contact) await work(scope, contact, store.now());
    });
  }
}

/** What the person wrote last: showing it as read shows all before it so too. */
async function latestInbound(trx: Executor, contactId: string): Promise<string | undefined> {
  const row = await trx
    .selectFrom('messages')
    .select('id')
    .where('contactId', '=', contactId)
    .where('direction', '=', 'in')
    .where('providerMessageId', 'is not', null)
    .where('type', '!=', 'system')
    .orderBy('createdAtMs', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}
