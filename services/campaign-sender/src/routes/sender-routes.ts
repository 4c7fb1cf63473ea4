import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import type { Selectable } from 'kysely';
import Type from 'typebox';
import type { SendersTable } from '../database/tables.ts';
import { recordUnknown } from '../errors.ts';
import { pauseSenders, resumeSender, resumeSenders, tokenPauseCodes } from '../senders/pause-senders.ts';
import { probeNumber } from '../senders/probe-number.ts';
import { changeSender, createSender } from '../senders/sender-store.ts';
import { token } from './provider-schemas.ts';
import type { RouteParts } from './register-routes.ts';
import { closed, IdParams, SenderView } from './schemas.ts';

const throughput = Type.Union([Type.Number({ minimum: 0.01, maximum: 1000 }), Type.Literal('provider')], {
  description: "The number's messages per second; `provider`: what the provider allows, and moves with it",
});

function presentSender(row: Selectable<SendersTable>) {
  const { id, phoneNumberId, wabaId, displayPhoneNumber, state, pauseCode, pauseReason } = row;
  const { messagesPerSecond, createdAtMs, updatedAtMs } = row;
  const { verifiedName, nameStatus, providerStatus, qualityRating, messagingLimitTier, peoplePerDay } = row;
  const { throughputLevel, probedAtMs, probeProblem } = row;
  return {
    ...{ id, phoneNumberId, wabaId, displayPhoneNumber, state, pauseCode, pauseReason },
    ...{ messagesPerSecond, createdAtMs, updatedAtMs },
    ...{ verifiedName, nameStatus, providerStatus, qualityRating, messagingLimitTier, peoplePerDay },
    ...{ throughputLevel, probedAtMs, probeProblem },
    followsProvider: row.followsProvider === 1,
    hasAccessToken: row.accessToken !== null,
    isDefault: row.isDefault === 1,
  };
}

/** The merchant's numbers. */
export function registerSenderRoutes(
  app: ServiceApp,
  { store, senders, secretBox, management }: RouteParts,
): void {
  const { db } = store;
  const tags = ['senders'];

  app.get(
    '/api/v1/senders',
    {
      onRequest: requireScope('senders:read'),
      schema: {
        tags,
        summary: "List the merchant's numbers",
        response: { 200: ok(Type.Object({ items: Type.Array(SenderView) })) },
      },
    },
    async ({ principal }) => {
      const rows = await db
        .selectFrom('senders')
        .selectAll()
        .where('merchantId', '=', principal.merchantId)
        .orderBy('id')
        .execute();
      return succeed({ items: rows.map(presentSender) });
    },
  );

  app.post(
    '/api/v1/senders',
    {
      onRequest: requireScope('senders:write'),
      schema: {
        tags,
        summary: 'Record a number',
        body: Type.Object(
          {
            phoneNumberId: Type.String({ pattern: '^[0-9]+$', maxLength: 64 }),
            accessToken: token,
            wabaId: Type.Optional(Type.String({ maxLength: 64 })),
            displayPhoneNumber: Type.Optional(Type.String({ maxLength: 64 })),
            messagesPerSecond: Type.Optional(throughput),
            isDefault: Type.Optional(Type.Boolean()),
          },
          closed,
        ),
        response: { 201: ok(SenderView) },
      },
    },
    async ({ body, principal }, reply) => {
      const id = await store.inScope(({ trx }) =>
        createSender(trx, secretBox, { ...body, merchantId: principal.merchantId }),
      );
      senders.forget();
      reply.code(201);
      return succeed(presentSender(await find(id, principal.merchantId)));
    },
  );

  app.patch(
    '/api/v1/senders/:id',
    {
      onRequest: requireScope('senders:write'),
      schema: {
        tags,
        summary: "Change a number's rate or token; pause or resume it",
        params: IdParams,
        body: Type.Object(
          {
            messagesPerSecond: Type.Optional(Type.Union([throughput, Type.Null()])),
            accessToken: Type.Optional(token),
            isDefault: Type.Optional(Type.Boolean()),
            state: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('paused')])),
          },
          closed,
        ),
        response: { 200: ok(SenderView) },
      },
    },
    async ({ params, body, principal }) => {
      const { id } = params;
      const { state, ...changes } = body;
      const { merchantId } = principal;
      await find(id, merchantId);
      await store.inScope(async (scope) => {
        const nowMs = store.now();
        await changeSender(scope.trx, secretBox, id, changes);
        if (state === 'paused')
          await pauseSenders(
            scope,
            merchantId,
            { id },
            { code: 'person', reason: 'paused by a person' },
            nowMs,
          );
        if (state === 'active') await resumeSender(scope, merchantId, id, 'a person', nowMs);
        if (state === undefined && changes.accessToken !== undefined)
          await resumeSenders(scope, merchantId, { id }, tokenPauseCodes, nowMs);
      });
      senders.forget();
      return succeed(presentSender(await find(id, merchantId)));
    },
  );

  app.get(
    '/api/v1/senders/:id',
    {
      onRequest: requireScope('senders:read'),
      schema: { tags, summary: 'Look a number up', params: IdParams, response: { 200: ok(SenderView) } },
    },
    async ({ params, principal }) => succeed(presentSender(await find(params.id, principal.merchantId))),
  );

  app.post(
    '/api/v1/senders/:id/probe',
    {
      onRequest: requireScope('senders:write'),
      schema: {
        tags,
        summary: 'Ask the provider about a number now: quality, tier, throughput, name',
        description: 'What it says is noted and shown; `probeProblem` tells why it could not be asked.',
        params: IdParams,
        response: { 200: ok(SenderView) },
      },
    },
    async ({ params, principal }) => {
      const { id } = await find(params.id, principal.merchantId);
      senders.forget();
      const sender = await senders.byId(id);
      if (sender) await probeNumber(store, management.of(sender), sender);
      senders.forget();
      return succeed(presentSender(await find(id, principal.merchantId)));
    },
  );

  async function find(id: string, merchantId: string) {
    const row = await db
      .selectFrom('senders')
      .selectAll()
      .where('id', '=', id)
      .where('merchantId', '=', merchantId)
      .executeTakeFirst();
    if (!row) throw recordUnknown('there is no number with this id');
    return row;
  }
}
