import {
  adminScope,
  hasScope,
  ok,
  type Principal,
  requireScope,
  type ServiceApp,
  succeed,
} from '@switchyard/service-kit';
import Type from 'typebox';
import { scopeNotHeld } from '../errors.ts';
import type { ApiKeys } from '../merchants/create-api-keys.ts';
import type { Merchants } from '../merchants/create-merchants.ts';
import { Epoch, IdParams, Name, Scope } from './schemas.ts';

const Merchant = Type.Object({ id: Type.String(), name: Type.String(), createdAtMs: Epoch });
const NewMerchant = Type.Object(
  {
    /** As `x-merchant-id` and tokens take it. */
    id: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$' })),
    name: Name,
  },
  { additionalProperties: false },
);
const ApiKey = Type.Object({
  id: Type.String(),
  merchantId: Type.String(),
  name: Type.String(),
  hint: Type.String(),
  scopes: Type.Array(Type.String()),
  createdAtMs: Epoch,
  revokedAtMs: Type.Union([Epoch, Type.Null()]),
});
const NewApiKey = Type.Object(
  { name: Name, scopes: Type.Array(Scope, { minItems: 1, maxItems: 50, uniqueItems: true }) },
  { additionalProperties: false },
);

/** What the routes need. */
export interface MerchantRoutesSettings {
  merchants: Merchants;
  apiKeys: ApiKeys;
}

/** `/api/v1/merchants` (the operator) and `/api/v1/api-keys` (each merchant its own; an admin any, by `x-merchant-id`). */
export async function registerMerchants(
  app: ServiceApp,
  { merchants, apiKeys }: MerchantRoutesSettings,
): Promise<void> {
  const admin = { onRequest: requireScope(adminScope) };
  app.post(
    '/api/v1/merchants',
    { ...admin, schema: { tags: ['merchants'], body: NewMerchant, response: { 201: ok(Merchant) } } },
    async (request, reply) => {
      reply.code(201);
      return succeed(await merchants.create(request.body));
    },
  );
  app.get(
    '/api/v1/merchants',
    { ...admin, schema: { tags: ['merchants'], response: { 200: ok(Type.Array(Merchant)) } } },
    async () => succeed(await merchants.list()),
  );
  app.get(
    '/api/v1/merchants/:id',
    { ...admin, schema: { tags: ['merchants'], params: IdParams, response: { 200: ok(Merchant) } } },
    async (request) => succeed(await merchants.get(request.params.id)),
  );

  app.post(
    '/api/v1/api-keys',
    {
      onRequest: requireScope('api-keys:write'),
      schema: {
        tags: ['merchants'],
        body: NewApiKey,
        response: { 201: ok(Type.Object({ apiKey: ApiKey, key: Type.String() })) },
      },
    },
    async (request, reply) => {
      const { principal } = request;
      checkGrant(principal, request.body.scopes);
      await merchants.get(principal.merchantId);
      const { apiKey, key } = await apiKeys.create({ ...request.body, merchantId: principal.merchantId });
      reply.code(201).header('cache-control', 'no-store');
      return succeed({ apiKey: { ...apiKey, scopes: [...apiKey.scopes] }, key });
    },
  );
  app.get(
    '/api/v1/api-keys',
    {
      onRequest: requireScope('api-keys:read'),
      schema: { tags: ['merchants'], response: { 200: ok(Type.Array(ApiKey)) } },
    },
    async (request) => {
      const keys = await apiKeys.list(request.principal.merchantId);
      return succeed(keys.map((key) => ({ ...key, scopes: [...key.scopes] })));
    },
  );
  app.delete(
    '/api/v1/api-keys/:id',
    {
      onRequest: requireScope('api-keys:write'),
      schema: {
        tags: ['merchants'],
        params: IdParams,
        response: { 200: ok(Type.Object({ id: Type.String() })) },
      },
    },
    async (request) => {
      await apiKeys.revoke(request.principal.merchantId, request.params.id);
      return succeed({ id: request.params.id });
    },
  );
}

/**
 * A key never holds more than its maker; `admin` stays with the operator's own keys.
 *
 * @throws CodedError SCOPE_NOT_HELD
 */
function checkGrant(principal: Principal, scopes: readonly string[]): void {
  const isHome = principal.merchantId === principal.homeMerchantId;
  for (const scope of scopes) {
    const held = scope === '*' ? principal.scopes.includes('*') : hasScope(principal, scope);
    if (!held || (scope === adminScope && !isHome))
      throw scopeNotHeld(`you can't give the scope ${scope}`, { details: { scope } });
  }
}
