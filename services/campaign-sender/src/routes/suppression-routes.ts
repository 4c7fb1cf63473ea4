import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { type Identifier, parseAddress, parseIdentifier } from '../contacts/address.ts';
import { inPeopleScope } from '../contacts/contact-book.ts';
import { findOwners, identifierKey, lockContact } from '../contacts/contact-store.ts';
import { optIn, optOut } from '../contacts/opt-out.ts';
import { suppress } from '../contacts/suppress.ts';
import type { Scope } from '../database/scope.ts';
import { messageInvalid, recordUnknown } from '../errors.ts';
import { pageOf, parseCursor } from './cursor.ts';
import type { RouteParts } from './register-routes.ts';
import { closed, page, pageQuery, SuppressionView } from './schemas.ts';

const Address = Type.String({ minLength: 3, maxLength: 160, description: 'A phone number or a user id' });

const ADDRESSES_MOST = 500;

/** Addresses nothing is sent to. */
export function registerSuppressionRoutes(app: ServiceApp, { store }: RouteParts): void {
  const tags = ['suppressions'];

  app.get(
    '/api/v1/suppressions',
    {
      onRequest: requireScope('contacts:read'),
      schema: {
        tags,
        summary: 'List suppressed addresses',
        querystring: Type.Object(pageQuery, closed),
        response: { 200: ok(page(SuppressionView)) },
      },
    },
    async ({ query, principal }) => {
      const after = parseCursor(query.cursor);
      const [kind, value] = after === undefined ? [] : splitKey(after);
      let rows = store.db
        .selectFrom('suppressions')
        .selectAll()
        .where('merchantId', '=', principal.merchantId);
      if (kind !== undefined && value !== undefined)
        rows = rows.where((where) =>
          where.or([
            where('kind', '>', kind),
            where.and([where('kind', '=', kind), where('value', '>', value)]),
          ]),
        );
      const found = await rows
        .orderBy('kind')
        .orderBy('value')
        .limit(query.limit + 1)
        .execute();
      return succeed(pageOf(found, query.limit, joinKey, ({ merchantId: _, ...row }) => row));
    },
  );

  app.post(
    '/api/v1/suppressions',
    {
      onRequest: requireScope('contacts:write'),
      schema: {
        tags,
        summary: 'Suppress an address; a contact that has it counts as opted out',
        body: Type.Object(
          { address: Address, reason: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) },
          closed,
        ),
        response: { 201: ok(Type.Object({ kind: Type.String(), value: Type.String() })) },
      },
    },
    async ({ body, principal }, reply) => {
      const identifier = readAddress(body.address);
      const { merchantId } = principal;
      await store.inScope(async (scope) => {
        const nowMs = store.now();
        const source = body.reason ?? principal.subject;
        const contact = await ownerOf(scope, merchantId, identifier);
        if (contact) await optOut(scope, store.dialect, contact, { reason: 'person', source }, nowMs);
        else
          await suppress(
            scope.trx,
            store.dialect,
            merchantId,
            [identifier],
            { scope: 'all', reason: 'person', source },
            nowMs,
          );
      });
      reply.code(201);
      return succeed(identifier);
    },
  );

  app.post(
    '/api/v1/suppressions/list',
    {
      onRequest: requireScope('contacts:write'),
      schema: {
        tags,
        summary: 'Suppress a list of addresses, all or none; again is harmless',
        body: Type.Object(
          {
            addresses: Type.Array(Address, { minItems: 1, maxItems: ADDRESSES_MOST }),
            reason: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
          },
          closed,
        ),
        response: { 200: ok(Type.Object({ addresses: Type.Integer(), contacts: Type.Integer() })) },
      },
    },
    async ({ body, principal }) => {
      const identifiers = body.addresses.map((address, index) => readAddress(address, `addresses/${index}`));
      const { merchantId } = principal;
      const source = body.reason ?? principal.subject;
      const contacts = await inPeopleScope(store, async (scope) => {
        const nowMs = store.now();
        const owners = await findOwners(scope.trx, merchantId, identifiers);
        const found = await scope.people.lock(merchantId, [...new Set(owners.values())]);
        for (const contact of new Set(found.values()))
          await optOut(scope, store.dialect, contact, { reason: 'person', source }, nowMs);
        await suppress(
          scope.trx,
          store.dialect,
          merchantId,
          identifiers,
          { scope: 'all', reason: 'person', source },
          nowMs,
        );
        return new Set(found.values()).size;
      });
      return succeed({ addresses: identifiers.length, contacts });
    },
  );

  app.delete(
    '/api/v1/suppressions/:address',
    {
      onRequest: requireScope('contacts:write'),
      schema: {
        tags,
        summary: 'Take a suppression back, with all others of the same contact',
        params: Type.Object({ address: Address }),
        response: { 200: ok(Type.Object({ kind: Type.String(), value: Type.String() })) },
      },
    },
    async ({ params, principal }) => {
      const identifier = readAddress(params.address);
      const { merchantId } = principal;
      await store.inScope(async (scope) => {
        const contact = await ownerOf(scope, merchantId, identifier);
        if (contact) await optIn(scope, store.dialect, contact, { source: principal.subject }, store.now());
        const { numDeletedRows } = await scope.trx
          .deleteFrom('suppressions')
          .where('merchantId', '=', merchantId)
          .where('kind', '=', identifier.kind)
          .where('value', '=', identifier.value)
          .executeTakeFirst();
        if (!contact && Number(numDeletedRows) === 0) throw recordUnknown('this address is not suppressed');
      });
      return succeed(identifier);
    },
  );

  async function ownerOf({ trx }: Scope, merchantId: string, identifier: Identifier) {
    const owner = (await findOwners(trx, merchantId, [identifier])).get(identifierKey(identifier));
    return owner === undefined ? undefined : await lockContact(trx, store.dialect, merchantId, owner);
  }
}

/** Also an email address: who wants no messages has all addresses suppressed. */
function readAddress(text: string, field = 'address'): Identifier {
  const identifier = parseAddress(text) ?? parseIdentifier('email', text);
  if (!identifier)
    throw messageInvalid(
      `${field} must be a phone number in international form, a user id or an email address`,
      {
        details: { field },
      },
    );
  return identifier;
}

/** A row has no id of its own; its key stands for it. */
function joinKey({ kind, value }: { kind: string; value: string }): string {
  return `${kind}.${Buffer.from(value).toString('base64url')}`;
}

function splitKey(key: string): [string, string] {
  const dot = key.indexOf('.');
  return [key.slice(0, dot), Buffer.from(key.slice(dot + 1), 'base64url').toString()];
}
