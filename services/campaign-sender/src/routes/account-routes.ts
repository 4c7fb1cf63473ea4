import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import type { Selectable } from 'kysely';
import Type from 'typebox';
import type { WhatsappAccountsTable } from '../database/tables.ts';
import { recordUnknown } from '../errors.ts';
import { accountIdOf, accountTokenContext, requestSync } from '../senders/account-store.ts';
import { resumeSenders, tokenPauseCodes } from '../senders/pause-senders.ts';
import { AccountView, token } from './provider-schemas.ts';
import type { RouteParts } from './register-routes.ts';
import { closed } from './schemas.ts';

const Params = Type.Object({ wabaId: Type.String({ pattern: '^[0-9]+$', maxLength: 64 }) });

function presentAccount(row: Selectable<WhatsappAccountsTable>) {
  const { id, wabaId, name, syncedAtMs, nextSyncAtMs, syncProblem, createdAtMs, updatedAtMs } = row;
  return {
    ...{ id, wabaId, name, syncedAtMs, nextSyncAtMs, syncProblem, createdAtMs, updatedAtMs },
    hasAccessToken: row.accessToken !== null,
  };
}

/** WhatsApp Business Accounts: their tokens, and what was read from them. */
export function registerAccountRoutes(app: ServiceApp, { store, senders, secretBox }: RouteParts): void {
  const { db } = store;
  const tags = ['accounts'];

  app.get(
    '/api/v1/accounts',
    {
      onRequest: requireScope('senders:read'),
      schema: {
        tags,
        summary: "List the merchant's WhatsApp Business Accounts",
        response: { 200: ok(Type.Object({ items: Type.Array(AccountView) })) },
      },
    },
    async ({ principal }) => {
      const rows = await db
        .selectFrom('whatsapp_accounts')
        .selectAll()
        .where('merchantId', '=', principal.merchantId)
        .orderBy('wabaId')
        .execute();
      return succeed({ items: rows.map(presentAccount) });
    },
  );

  app.put(
    '/api/v1/accounts/:wabaId',
    {
      onRequest: requireScope('senders:write'),
      schema: {
        tags,
        summary: 'Record an account, or change its name or token',
        description:
          'Its numbers and templates are read within seconds. With a token of its own the account brings all its numbers, and they send with it unless they have their own; null takes the token back. Numbers that were paused for a bad token go on.',
        params: Params,
        body: Type.Object(
          {
            name: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
            accessToken: Type.Optional(Type.Union([token, Type.Null()])),
          },
          closed,
        ),
        response: { 200: ok(AccountView) },
      },
    },
    async ({ params, body, principal }) => {
      const { merchantId } = principal;
      const { wabaId } = params;
      const id = accountIdOf({ merchantId, wabaId });
      const { name, accessToken } = body;
      await store.inScope(async (scope) => {
        const nowMs = store.now();
        await requestSync(scope.trx, store.dialect, { merchantId, wabaId }, nowMs);
        await scope.trx
          .updateTable('whatsapp_accounts')
          .set({
            updatedAtMs: nowMs,
            ...(name === undefined ? {} : { name }),
            ...(accessToken === undefined
              ? {}
              : {
                  accessToken:
                    accessToken === null ? null : secretBox.seal(accessToken, accountTokenContext(id)),
                }),
          })
          .where('id', '=', id)
          .execute();
        if (accessToken) await resumeSenders(scope, merchantId, { wabaId }, tokenPauseCodes, nowMs);
      });
      senders.forget();
      return succeed(presentAccount(await find(merchantId, wabaId)));
    },
  );

  async function find(merchantId: string, wabaId: string) {
    const row = await db
      .selectFrom('whatsapp_accounts')
      .selectAll()
      .where('id', '=', accountIdOf({ merchantId, wabaId }))
      .executeTakeFirst();
    if (!row) throw recordUnknown('there is no such account');
    return row;
  }
}
