import Type from 'typebox';
import { Epoch, Id, Identifiers, ProviderObject } from './shared.ts';

/** `control`: the event types a merchant's endpoints want, so that producers need not send the others. */
export const SetSubscriptions = Type.Object({
  merchantId: Id,
  version: Type.Integer({ minimum: 0 }),
  eventTypes: Type.Array(Type.String()),
});

/** `control`: every owner of a person's data erases it and acknowledges. */
export const ErasePerson = Type.Object({
  merchantId: Id,
  erasureId: Id,
  identifiers: Identifiers,
  requestedAtMs: Epoch,
});

/** `control`: one owner has erased its part. */
export const AcknowledgeErasure = Type.Object({
  merchantId: Id,
  erasureId: Id,
  owner: Type.String(),
  erasedRecords: Type.Integer({ minimum: 0 }),
  completedAtMs: Epoch,
});

/** `control`: a source must take no more events (an uninstalled shop, a closed account). */
export const StopSource = Type.Object({
  merchantId: Id,
  sourceKind: Type.Union([Type.Literal('whatsapp'), Type.Literal('shopify'), Type.Literal('custom')]),
  sourceKey: Type.String({ minLength: 1 }),
  reason: Type.String(),
});

/** `control`: a shop has left for good; what came from it must go. */
export const EraseShop = Type.Object({
  merchantId: Id,
  erasureId: Id,
  shopDomain: Type.String({ minLength: 1, maxLength: 191 }),
  requestedAtMs: Epoch,
});

/** `control`: a person asks for their data; every owner provides what it has. */
export const RequestPersonData = Type.Object({
  merchantId: Id,
  requestId: Id,
  identifiers: Identifiers,
  requestedAtMs: Epoch,
});

/** `control`: what one owner has of a person. */
export const ProvidePersonData = Type.Object({
  merchantId: Id,
  requestId: Id,
  owner: Type.String(),
  data: ProviderObject,
  completedAtMs: Epoch,
});
