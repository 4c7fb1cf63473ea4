import { adminScope, ok, requireScope, type ServiceApp, succeed } from '@switchyard/service-kit';
import Type from 'typebox';
import type { ArchiveStore } from '../archive/create-archive-store.ts';
import type { Replays } from '../archive/create-replays.ts';
import type { Merchants } from '../merchants/create-merchants.ts';
import { Epoch, IdParams } from './schemas.ts';

const orNull = Type.Union([Type.String(), Type.Null()]);
const Replay = Type.Object({
  id: Type.String(),
  /** `queue-restarted`: recorded by ingress itself, when the queue's Redis may have forgotten what it acknowledged. */
  reason: Type.Union([Type.Literal('requested'), Type.Literal('queue-restarted')]),
  merchantId: orNull,
  kind: orNull,
  fromMs: Epoch,
  toMs: Epoch,
  accepted: Type.Integer(),
  unrouted: Type.Integer(),
  refused: Type.Integer(),
  createdAtMs: Epoch,
  startedAtMs: Type.Union([Epoch, Type.Null()]),
  finishedAtMs: Type.Union([Epoch, Type.Null()]),
});
const closed = { additionalProperties: false };
const NewReplay = Type.Object(
  {
    /** By the time of arrival; at most 8 days ago. */
    fromMs: Epoch,
    toMs: Epoch,
    merchantId: Type.Optional(Type.String({ minLength: 1, maxLength: 191 })),
    kind: Type.Optional(
      Type.Union([Type.Literal('whatsapp'), Type.Literal('shopify'), Type.Literal('custom')]),
    ),
  },
  closed,
);
const Archive = Type.Object({
  /** Whether this merchant's webhooks are archived. */
  isOn: Type.Boolean(),
  entries: Type.Integer(),
  packedBytes: Type.Integer(),
  oldestMs: Type.Union([Epoch, Type.Null()]),
});

/** What the routes need. */
export interface ArchiveRoutesSettings {
  store: Pick<ArchiveStore, 'summary' | 'drop'>;
  replays: Replays;
  merchants: Pick<Merchants, 'get' | 'setArchive'>;
}

/** `/api/v1/archive` (each merchant its own) and `/api/v1/archive/replays` (the operator). */
export async function registerArchive(app: ServiceApp, settings: ArchiveRoutesSettings): Promise<void> {
  const { store, replays, merchants } = settings;
  const admin = { onRequest: requireScope(adminScope) };
  const tags = ['archive'];

  async function show(merchantId: string) {
    const { archiveOff } = await merchants.get(merchantId);
    return { isOn: archiveOff === 0, ...(await store.summary(merchantId)) };
  }
  app.get(
    '/api/v1/archive',
    { onRequest: requireScope('sources:read'), schema: { tags, response: { 200: ok(Archive) } } },
    async (request) => succeed(await show(request.principal.merchantId)),
  );
  app.put(
    '/api/v1/archive',
    {
      onRequest: requireScope('sources:write'),
      schema: { tags, body: Type.Object({ isOn: Type.Boolean() }, closed), response: { 200: ok(Archive) } },
    },
    async (request) => {
      const { merchantId } = request.principal;
      await merchants.setArchive(merchantId, request.body.isOn);
      // Whoever opts out does not want what is there to stay either.
      if (!request.body.isOn) await store.drop(merchantId);
      return succeed(await show(merchantId));
    },
  );

  app.post(
    '/api/v1/archive/replays',
    { ...admin, schema: { tags, body: NewReplay, response: { 201: ok(Replay) } } },
    async (request, reply) => {
      reply.code(201);
      return succeed(await replays.create(request.body));
    },
  );
  app.get(
    '/api/v1/archive/replays',
    { ...admin, schema: { tags, response: { 200: ok(Type.Array(Replay)) } } },
    async () => succeed(await replays.list()),
  );
  app.get(
    '/api/v1/archive/replays/:id',
    { ...admin, schema: { tags, params: IdParams, response: { 200: ok(Replay) } } },
    async (request) => succeed(await replays.get(request.params.id)),
  );
}
