import { jobMetaOf, ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import type { Selectable } from 'kysely';
import Type from 'typebox';
import type { MessagesTable } from '../database/tables.ts';
import { messageNotCancellable, recordUnknown } from '../errors.ts';
import { acceptRequests } from '../messages/accept-requests.ts';
import { loadCandidates } from '../messages/message-candidate.ts';
import { readTimeline } from '../messages/read-timeline.ts';
import { unknownEnd } from '../sending/reconcile-parked.ts';
import { pageOf, parseCursor } from './cursor.ts';
import type { RouteParts } from './register-routes.ts';
import {
  IdParams,
  MessageDetail,
  MessageStateSchema,
  MessageView,
  page,
  pageQuery,
  SendBody,
} from './schemas.ts';

/** A message as the API shows it. */
export function presentMessage(row: Selectable<MessagesTable>) {
  const { id, direction, contactId, senderId, address, type, state, providerMessageId } = row;
  const { failureCode, failureReason, attempts, nextAttemptAtMs, expiresAtMs, createdAtMs, updatedAtMs } =
    row;
  return {
    ...{ id, direction, contactId, senderId, address, type, state, providerMessageId },
    content: JSON.parse(row.content) as Record<string, unknown>,
    ...{ failureCode, failureReason, attempts, nextAttemptAtMs, expiresAtMs, createdAtMs, updatedAtMs },
  };
}

const cancelled = {
  kind: 'settle',
  state: 'skipped',
  code: 'CANCELLED',
  reason: 'cancelled by its sender',
} as const;
const cancelledUnknown = { ...unknownEnd, reason: 'given up by its sender while its end was unknown' };

/** Send, look up, list, cancel. */
export function registerMessageRoutes(app: ServiceApp, { store, recorder, attempts }: RouteParts): void {
  const tags = ['messages'];

  app.post(
    '/api/v1/messages',
    {
      onRequest: requireScope('messages:write'),
      schema: {
        tags,
        summary: 'Send one message, or up to 100',
        description:
          'Recorded when this answers, then sent at the pace of the number. The same Idempotency-Key with the same body is the same messages.',
        headers: Type.Object({
          'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
        }),
        body: SendBody,
        response: {
          202: ok(
            Type.Object({
              messages: Type.Array(Type.Object({ id: Type.String(), state: MessageStateSchema })),
            }),
          ),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const accepted = await acceptRequests(store, recorder, {
        merchantId: request.principal.merchantId,
        idempotencyKey: request.headers['idempotency-key'],
        body,
        meta: jobMetaOf(request),
        messages: 'messages' in body ? body.messages : [body],
      });
      reply.code(202);
      if (accepted.isReplay) reply.header('idempotency-replayed', 'true');
      return succeed({ messages: accepted.messages });
    },
  );

  app.get(
    '/api/v1/messages',
    {
      onRequest: requireScope('messages:read'),
      schema: {
        tags,
        summary: 'List messages, latest first',
        querystring: Type.Object({
          ...pageQuery,
          state: Type.Optional(MessageStateSchema),
          direction: Type.Optional(Type.Union([Type.Literal('in'), Type.Literal('out')])),
          contactId: Type.Optional(Type.String()),
          senderId: Type.Optional(Type.String()),
        }),
        response: { 200: ok(page(MessageView)) },
      },
    },
    async ({ query, principal }) => {
      const { limit, state, direction, contactId, senderId } = query;
      const before = parseCursor(query.cursor);
      let rows = store.db.selectFrom('messages').selectAll().where('merchantId', '=', principal.merchantId);
      if (state !== undefined) rows = rows.where('state', '=', state);
      if (direction !== undefined) rows = rows.where('direction', '=', direction);
      if (contactId !== undefined) rows = rows.where('contactId', '=', contactId);
      if (senderId !== undefined) rows = rows.where('senderId', '=', senderId);
      if (before !== undefined) rows = rows.where('id', '<', before);
      const found = await rows
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      return succeed(pageOf(found, limit, ({ id }) => id, presentMessage));
    },
  );

  app.get(
    '/api/v1/messages/:id',
    {
      onRequest: requireScope('messages:read'),
      schema: {
        tags,
        summary: 'Look a message up, with its timeline',
        params: IdParams,
        response: { 200: ok(MessageDetail) },
      },
    },
    async ({ params, principal }) => {
      const row = await find(params.id, principal.merchantId);
      return succeed({ ...presentMessage(row), timeline: await readTimeline(store.db, row) });
    },
  );

  app.post(
    '/api/v1/messages/:id/cancel',
    {
      onRequest: requireScope('messages:write'),
      schema: {
        tags,
        summary: 'Cancel a message that has not gone',
        description: 'A message whose sending ended unknown fails as unknown instead: it may have gone.',
        params: IdParams,
        response: { 200: ok(MessageView) },
      },
    },
    async ({ params, principal }) => {
      await find(params.id, principal.merchantId);
      const candidate = (await loadCandidates(store.db, [params.id])).get(params.id);
      const end =
        candidate?.state === 'queued'
          ? cancelled
          : candidate?.state === 'parked'
            ? cancelledUnknown
            : undefined;
      if (!candidate || !end || !(await attempts.settle(candidate, end)))
        throw messageNotCancellable('the message has gone, or is on its way', {
          details: { state: candidate?.state ?? 'received' },
        });
      return succeed(presentMessage(await find(params.id, principal.merchantId)));
    },
  );

  async function find(id: string, merchantId: string) {
    const row = await store.db
      .selectFrom('messages')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!row) throw recordUnknown('there is no message with this id');
    return row;
  }
}
