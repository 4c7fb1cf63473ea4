import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { inPeopleScope } from '../contacts/contact-book.ts';
import type { ContactRow } from '../contacts/contact-store.ts';
import { changeHands } from '../conversations/set-handover.ts';
import { ConversationView } from './conversation-schemas.ts';
import { findContact } from './find-contact.ts';
import { viewConversation } from './present-conversations.ts';
import type { RouteParts } from './register-routes.ts';
import { IdParams } from './schemas.ts';

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
        body: Type.Union([Type.Object({ userId: UserId }, { additionalProperties: false }), Type.Null()]),
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
        params: IdParams,
        response: { 200: ok(ConversationView) },
      },
    },
    async ({ params, principal }) => {
      await change(principal.merchantId, params.id, ({ people }, contact) => {
        contact.unreadCount = 0;
        people.touch(contact);
      });
      return succeed(await viewConversation(store, principal.merchantId, params.id));
    },
  );

  async function change(
    merchantId: string,
    id: string,
    work: (scope: Parameters<typeof changeHands>[0], contact: ContactRow, nowMs: number) => void,
  ): Promise<void> {
    const { id: contactId } = await findContact(store.db, merchantId, id);
    await inPeopleScope(store, async (scope) => {
      const contact = (await scope.people.lock(merchantId, [contactId])).get(contactId);
      if (contact) work(scope, contact, store.now());
    });
  }
}
