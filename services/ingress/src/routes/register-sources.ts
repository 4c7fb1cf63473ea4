import { DEFAULT_MERCHANT_ID } from '@switchyard/runtime';
import { adminScope, hasScope, ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import { SignatureSettings } from '../custom/signature-settings.ts';
import { appOfAnotherKind } from '../errors.ts';
import type { Apps } from '../merchants/create-apps.ts';
import type { Merchants } from '../merchants/create-merchants.ts';
import type { Sources } from '../merchants/create-sources.ts';
import { Epoch, IdParams, Name, Secret, VerifyToken } from './schemas.ts';

const managedBy = Type.Union([Type.Literal('api'), Type.Literal('environment')]);
const App = Type.Object({
  id: Type.String(),
  merchantId: Type.String(),
  kind: Type.String(),
  name: Type.String(),
  managedBy,
  previousUntilMs: Type.Union([Epoch, Type.Null()]),
  createdAtMs: Epoch,
  updatedAtMs: Epoch,
});
const status = Type.Union([Type.Literal('active'), Type.Literal('disabled')]);
const orNull = Type.Union([Type.String(), Type.Null()]);
const Source = Type.Object({
  id: Type.String(),
  merchantId: Type.String(),
  appId: Type.String(),
  kind: Type.String(),
  sourceKey: Type.String(),
  accountKey: orNull,
  name: orNull,
  status,
  statusReason: orNull,
  managedBy,
  createdAtMs: Epoch,
  updatedAtMs: Epoch,
});
const closed = { additionalProperties: false };
const newApp = { name: Name, secret: Secret };
const NewApp = Type.Union([
  Type.Object({ ...newApp, kind: Type.Literal('whatsapp'), verifyToken: Type.Optional(VerifyToken) }, closed),
  Type.Object({ ...newApp, kind: Type.Literal('shopify') }, closed),
  /** A system of the merchant's own, which says how it signs. */
  Type.Object({ ...newApp, kind: Type.Literal('custom'), signature: SignatureSettings }, closed),
]);
const newSource = {
  name: Type.Optional(Name),
  appId: Type.String({ minLength: 1, maxLength: 191 }),
};
const NewSource = Type.Union([
  Type.Object(
    {
      ...newSource,
      kind: Type.Literal('whatsapp'),
      /** `phone_number_id`. */
      sourceKey: Type.String({ pattern: '^[0-9]{1,32}$' }),
      /** The WhatsApp Business Account of the number. */
      accountKey: Type.Optional(Type.String({ pattern: '^[0-9]{1,32}$' })),
    },
    closed,
  ),
  Type.Object(
    {
      ...newSource,
      kind: Type.Literal('shopify'),
      /** `<name>.myshopify.com`. */
      sourceKey: Type.String({
        maxLength: 191,
        pattern: '^[a-z0-9][a-z0-9-]*(\\.[a-z0-9][a-z0-9-]*)+$',
      }),
    },
    closed,
  ),
  /** Its key is made up: events go to `/webhooks/events/<sourceKey>`. */
  Type.Object({ ...newSource, kind: Type.Literal('custom') }, closed),
]);
const Rotation = Type.Object(
  {
    secret: Secret,
    /** How long the old secret is accepted beside the new one; a day unless stated, at most 30. */
    overlapSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_592_000 })),
  },
  closed,
);
const DAY_SECONDS = 86_400;

/** What the routes need. */
export interface SourceRoutesSettings {
  merchants: Pick<Merchants, 'get'>;
  apps: Apps;
  sources: Sources;
}

/** `/api/v1/apps` and `/api/v1/sources`: numbers, the apps they belong to, and the apps' secrets. */
export async function registerSources(app: ServiceApp, settings: SourceRoutesSettings): Promise<void> {
  const { merchants, apps, sources } = settings;
  const read = { onRequest: requireScope('sources:read') };
  const write = { onRequest: requireScope('sources:write') };
  const tags = ['sources'];

  app.post(
    '/api/v1/apps',
    { ...write, schema: { tags, body: NewApp, response: { 201: ok(App) } } },
    async (request, reply) => {
      const { merchantId } = await ownMerchant(request.principal.merchantId);
      reply.code(201);
      return succeed(await apps.create({ ...request.body, merchantId }));
    },
  );
  app.get(
    '/api/v1/apps',
    { ...read, schema: { tags, response: { 200: ok(Type.Array(App)) } } },
    async (request) => succeed(await apps.list(request.principal.merchantId)),
  );
  app.post(
    '/api/v1/apps/:id/rotate-secret',
    { ...write, schema: { tags, params: IdParams, body: Rotation, response: { 200: ok(App) } } },
    async (request) => {
      const { secret, overlapSeconds = DAY_SECONDS } = request.body;
      const change = { secret, overlapMs: overlapSeconds * 1000 };
      return succeed(await apps.rotate(request.principal.merchantId, request.params.id, change));
    },
  );
  app.delete(
    '/api/v1/apps/:id',
    {
      ...write,
      schema: { tags, params: IdParams, response: { 200: ok(Type.Object({ id: Type.String() })) } },
    },
    async (request) => {
      await apps.remove(request.principal.merchantId, request.params.id);
      return succeed({ id: request.params.id });
    },
  );
  app.put(
    '/api/v1/apps/:id/verify-token',
    {
      ...write,
      schema: {
        tags,
        params: IdParams,
        body: Type.Object({ verifyToken: VerifyToken }, closed),
        response: { 200: ok(App) },
      },
    },
    async (request) =>
      succeed(
        await apps.setVerifyToken(request.principal.merchantId, request.params.id, request.body.verifyToken),
      ),
  );

  app.post(
    '/api/v1/sources',
    { ...write, schema: { tags, body: NewSource, response: { 201: ok(Source) } } },
    async (request, reply) => {
      const { principal, body } = request;
      const { merchantId } = await ownMerchant(principal.merchantId);
      // A merchant's number may stand under the operator's app, but only the operator can say that it is theirs.
      const owner = await apps
        .get(merchantId, body.appId)
        .catch((error: unknown) =>
          hasScope(principal, adminScope) ? apps.get(DEFAULT_MERCHANT_ID, body.appId) : Promise.reject(error),
        );
      if (owner.kind !== body.kind)
        throw appOfAnotherKind('the app is of another kind than the source', {
          details: { kind: owner.kind },
        });
      reply.code(201);
      return succeed(await sources.create({ ...body, appId: owner.id, merchantId }));
    },
  );
  app.get(
    '/api/v1/sources',
    { ...read, schema: { tags, response: { 200: ok(Type.Array(Source)) } } },
    async (request) => succeed(await sources.list(request.principal.merchantId)),
  );
  app.get(
    '/api/v1/sources/:id',
    { ...read, schema: { tags, params: IdParams, response: { 200: ok(Source) } } },
    async (request) => succeed(await sources.get(request.principal.merchantId, request.params.id)),
  );
  app.patch(
    '/api/v1/sources/:id',
    {
      ...write,
      schema: {
        tags,
        params: IdParams,
        body: Type.Object({ status, reason: Type.Optional(Type.String({ maxLength: 500 })) }, closed),
        response: { 200: ok(Source) },
      },
    },
    async (request) =>
      succeed(await sources.setStatus(request.principal.merchantId, request.params.id, request.body)),
  );
  app.delete(
    '/api/v1/sources/:id',
    {
      ...write,
      schema: { tags, params: IdParams, response: { 200: ok(Type.Object({ id: Type.String() })) } },
    },
    async (request) => {
      await sources.remove(request.principal.merchantId, request.params.id);
      return succeed({ id: request.params.id });
    },
  );

  /** An admin may act for any id; rows are made only for merchants that exist. */
  async function ownMerchant(id: string): Promise<{ merchantId: string }> {
    return { merchantId: (await merchants.get(id)).id };
  }
}
