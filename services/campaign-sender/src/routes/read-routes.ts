import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { showRead } from '../conversations/show-read.ts';
import { messageInvalid, providerAway, providerRefused, recordUnknown } from '../errors.ts';
import type { RouteParts } from './register-routes.ts';
import { closed, IdParams } from './schemas.ts';

/** Blue ticks and the typing indicator. They are no messages: nothing is recorded, and twice is as good as once. */
export function registerReadRoutes(app: ServiceApp, { store, senders, graph }: RouteParts): void {
  app.post(
    '/api/v1/messages/:id/read',
    {
      onRequest: requireScope('messages:write'),
      schema: {
        tags: ['messages'],
        summary: 'Show the person that a message was read, and perhaps that an answer is being typed',
        description: 'The indicator ends with the answer, or after 25 seconds.',
        params: IdParams,
        body: Type.Object({ typing: Type.Optional(Type.Boolean()) }, closed),
        response: { 200: ok(Type.Object({ id: Type.String() })) },
      },
    },
    async ({ params, body, principal }) => {
      const row = await store.db
        .selectFrom('messages')
        .select(['id', 'direction', 'senderId', 'providerMessageId'])
        .where('id', '=', params.id)
        .where('merchantId', '=', principal.merchantId)
        .executeTakeFirst();
      if (!row) throw recordUnknown('there is no message with this id');
      if (row.direction !== 'in' || row.providerMessageId === null || row.senderId === null)
        throw messageInvalid('only a message that came in can be read', { details: { field: 'id' } });
      const sender = await senders.byId(row.senderId);
      if (sender?.accessToken === undefined)
        throw messageInvalid('its number has no token', { details: { field: 'id' } });
      const { phoneNumberId, accessToken } = sender;
      const answer = await showRead(
        graph,
        { phoneNumberId, accessToken },
        row.providerMessageId,
        body.typing,
      );
      if (answer.kind === 'away')
        throw providerAway('the provider does not answer', { cause: new Error(answer.cause), delayMs: 5000 });
      if (answer.kind === 'refused')
        throw providerRefused('the provider has refused', {
          details: { code: answer.code, reason: answer.details },
        });
      return succeed({ id: row.id });
    },
  );
}
