import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { messageNotCancellable, recordUnknown } from '../errors.ts';
import { loadCandidates } from '../messages/message-candidate.ts';
import { type MessageRow, selectMessages } from '../messages/message-rows.ts';
import type { MessageState } from '../messages/message-state.ts';
import { readTimeline } from '../messages/read-timeline.ts';
import { unknownEnd } from '../sending/reconcile-parked.ts';
import { pageOf, parseTimeCursor, timeKey } from './cursor.ts';
import type { RouteParts } from './register-routes.ts';
import {
  closed,
  IdParams,
  MessageDetail,
  MessageStateSchema,
  MessageView,
  page,
  pageQuery,
} from './schemas.ts';

/** A message as the API shows it. */
export function presentMessage(row: MessageRow) {
  const { id, direction, contactId, senderId, address, type, state } = row;
  const providerMessageId = row.sentAs ?? row.providerMessageId;
  const { failureCode, failureReason, attempts, nextAttemptAtMs, expiresAtMs, createdAtMs, updatedAtMs } =
    row;
  const { lane, replyTo, waitReason } = row;
  const object = (text: string | null) =>
    text === null ? null : (JSON.parse(text) as Record<string, unknown>);
  return {
    ...{ id, direction, contactId, senderId, address, type, state, providerMessageId },
    content: JSON.parse(row.content) as Record<string, unknown>,
    ...{ lane, replyTo, origin: object(row.origin) },
    templateFallback: object(row.templateFallback),
    replaced: object(row.replaced),
    waitingFor:
      state === 'queued' && waitReason !== null ? { code: waitReason, untilMs: nextAttemptAtMs } : null,
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

/** Look up, list, cancel. */
export function registerMessageRoutes(app: ServiceApp, { store, attempts }: RouteParts): void {
  const tags = ['messages'];

  app.get(
    '/api/v1/messages',
    {
      onRequest: requireScope('messages:read'),
      schema: {
        tags,
        summary: 'List messages, latest first',
        querystring: Type.Object(
          {
            ...pageQuery,
            state: Type.Optional(MessageStateSchema),
            direction: Type.Optional(Type.Union([Type.Literal('in'), Type.Literal('out')])),
            contactId: Type.Optional(Type.String({ maxLength: 191 })),
            senderId: Type.Optional(Type.String({ maxLength: 191 })),
            address: Type.Optional(
              Type.String({
                maxLength: 160,
                description: 'E.164 with `+`, or a user id, as messages show it',
              }),
            ),
            type: Type.Optional(Type.String({ maxLength: 64 })),
            lane: Type.Optional(
              Type.Union([Type.Literal('transactional'), Type.Literal('flow'), Type.Literal('campaign')]),
            ),
            failureCode: Type.Optional(Type.String({ maxLength: 64 })),
            fromMs: Type.Optional(
              Type.Integer({ minimum: 0, description: 'Recorded at this time or later' }),
            ),
            toMs: Type.Optional(Type.Integer({ minimum: 0, description: 'Recorded before this time' })),
          },
          closed,
        ),
        response: { 200: ok(page(MessageView)) },
      },
    },
    async ({ query, principal }) => {
      const { limit, cursor, fromMs, toMs, ...same } = query;
      const before = parseTimeCursor(cursor);
      let rows = selectMessages(store.db).where('merchantId', '=', principal.merchantId);
      for (const [column, value] of Object.entries(same))
        if (value !== undefined) rows = rows.where(column as 'address', '=', value);
      if (fromMs !== undefined) rows = rows.where('createdAtMs', '>=', fromMs);
      if (toMs !== undefined) rows = rows.where('createdAtMs', '<', toMs);
      if (before)
        rows = rows
          .where('createdAtMs', '<=', before.atMs)
          .where((where) => where.or([where('createdAtMs', '<', before.atMs), where('id', '<', before.id)]));
      const found = await rows
        .orderBy('createdAtMs', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      return succeed(pageOf(found, limit, timeKey, presentMessage));
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
      const state = await cancel(params.id, principal.merchantId);
      if (state !== undefined)
        throw messageNotCancellable('the message has gone, is on its way, or has ended otherwise', {
          details: { state },
        });
      return succeed(presentMessage(await find(params.id, principal.merchantId)));
    },
  );

  app.post(
    '/api/v1/messages/cancel',
    {
      onRequest: requireScope('messages:write'),
      schema: {
        tags,
        summary: 'Cancel up to 500 messages, those of them that have not gone',
        body: Type.Object(
          { ids: Type.Array(Type.String({ minLength: 1, maxLength: 191 }), { minItems: 1, maxItems: 500 }) },
          closed,
        ),
        response: {
          200: ok(
            Type.Object({
              cancelled: Type.Array(Type.String()),
              notCancelled: Type.Array(
                Type.Object({
                  id: Type.String(),
                  state: Type.Union([MessageStateSchema, Type.Null()], {
                    description: 'Null: there is no such message',
                  }),
                }),
              ),
            }),
          ),
        },
      },
    },
    async ({ body, principal }) => {
      const cancelled: string[] = [];
      const notCancelled: { id: string; state: MessageState | null }[] = [];
      const rows = await store.db
        .selectFrom('messages')
        .select(['id', 'merchantId'])
        .where('id', 'in', body.ids)
        .execute();
      const own = rows.filter(({ merchantId }) => merchantId === principal.merchantId);
      const known = new Set(own.map(({ id }) => id));
      for (const id of new Set(body.ids)) {
        const state = known.has(id) ? await cancel(id, principal.merchantId) : null;
        if (state === undefined) cancelled.push(id);
        else notCancelled.push({ id, state });
      }
      return succeed({ cancelled, notCancelled });
    },
  );

  /** @returns undefined when it is cancelled, else the state that it is in. */
  async function cancel(id: string, merchantId: string): Promise<MessageState | undefined> {
    const { direction } = await find(id, merchantId);
    const candidate = (await loadCandidates(store.db, [id])).get(id);
    if (direction === 'in' || !candidate) return 'received';
    const end =
      candidate.state === 'queued' ? cancelled : candidate.state === 'parked' ? cancelledUnknown : undefined;
    if (end && (await attempts.settle(candidate, end))) return undefined;
    return (await find(id, merchantId)).state;
  }

  async function find(id: string, merchantId: string) {
    const row = await selectMessages(store.db)
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!row) throw recordUnknown('there is no message with this id');
    return row;
  }
}
