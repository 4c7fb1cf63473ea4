import { createId } from '@switchyard/runtime';
import { ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { DataRequests } from '../privacy/create-data-requests.ts';
import type { Erasures } from '../privacy/create-erasures.ts';
import { Epoch, IdParams } from './schemas.ts';

const Identifier = Type.Object(
  {
    kind: Type.Union([
      Type.Literal('phone'),
      Type.Literal('user_id'),
      Type.Literal('email'),
      Type.Literal('shopify_customer_id'),
    ]),
    value: Type.String({ minLength: 4, maxLength: 320 }),
  },
  { additionalProperties: false },
);
const Asked = Type.Object(
  { identifiers: Type.Array(Identifier, { minItems: 1, maxItems: 50 }) },
  { additionalProperties: false },
);
const Made = Type.Object({ id: Type.String() });
const pendingOwners = Type.Array(Type.String());
const Erasure = Type.Object({
  id: Type.String(),
  merchantId: Type.String(),
  kind: Type.Union([Type.Literal('person'), Type.Literal('shop')]),
  requestedAtMs: Epoch,
  acknowledgements: Type.Array(
    Type.Object({ owner: Type.String(), erasedRecords: Type.Integer(), completedAtMs: Epoch }),
  ),
  /** Empty once everyone has done their part. */
  pendingOwners,
});
const request = { id: Type.String(), merchantId: Type.String(), requestedAtMs: Epoch, pendingOwners };
const DataRequest = Type.Object(request);
const Export = Type.Object({
  ...request,
  identifiers: Type.Array(Type.Object({ kind: Type.String(), value: Type.String() })),
  data: Type.Record(Type.String(), Type.Unknown()),
});

/** What the routes need. */
export interface PrivacyRoutesSettings {
  erasures: Erasures;
  dataRequests: DataRequests;
}

/** `/api/v1/erasures` and `/api/v1/data-requests`: what Shopify asks for, and what persons ask a merchant directly. */
export async function registerPrivacy(
  app: ServiceApp,
  { erasures, dataRequests }: PrivacyRoutesSettings,
): Promise<void> {
  const read = { onRequest: requireScope('privacy:read') };
  const write = { onRequest: requireScope('privacy:write') };
  const tags = ['privacy'];

  app.post(
    '/api/v1/erasures',
    { ...write, schema: { tags, body: Asked, response: { 201: ok(Made) } } },
    async ({ principal, body }, reply) => {
      const erasureId = createId('era');
      const { merchantId } = principal;
      await erasures.record({ ...body, erasureId, merchantId, requestedAtMs: Date.now() });
      reply.code(201);
      return succeed({ id: erasureId });
    },
  );
  app.get(
    '/api/v1/erasures',
    { ...read, schema: { tags, response: { 200: ok(Type.Array(Erasure)) } } },
    async ({ principal }) => succeed(await erasures.list(principal.merchantId)),
  );
  app.post(
    '/api/v1/data-requests',
    { ...write, schema: { tags, body: Asked, response: { 201: ok(Made) } } },
    async ({ principal, body }, reply) => {
      const requestId = createId('dre');
      const { merchantId } = principal;
      await dataRequests.record({ ...body, requestId, merchantId, requestedAtMs: Date.now() });
      reply.code(201);
      return succeed({ id: requestId });
    },
  );
  app.get(
    '/api/v1/data-requests',
    { ...read, schema: { tags, response: { 200: ok(Type.Array(DataRequest)) } } },
    async ({ principal }) => succeed(await dataRequests.list(principal.merchantId)),
  );
  app.get(
    '/api/v1/data-requests/:id/export',
    { ...read, schema: { tags, params: IdParams, response: { 200: ok(Export) } } },
    async ({ principal, params }, reply) => {
      reply.header('cache-control', 'no-store');
      return succeed(await dataRequests.export(principal.merchantId, params.id));
    },
  );
}
