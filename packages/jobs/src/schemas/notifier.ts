import Type from 'typebox';
import { Epoch, Id, Identifiers, ProviderObject } from './shared.ts';

/** `emails`: one email. `emailId` makes it once. */
export const SendEmail = Type.Object({
  merchantId: Id,
  emailId: Id,
  to: Type.Array(Type.String({ minLength: 3 }), { minItems: 1, maxItems: 50 }),
  subject: Type.String({ minLength: 1, maxLength: 998 }),
  text: Type.Optional(Type.String()),
  html: Type.Optional(Type.String()),
  replyTo: Type.Optional(Type.String()),
  /** Counts the wake-ups after the first. */
  turn: Type.Optional(Type.Integer({ minimum: 1 })),
});

/** An event for merchants' endpoints, in the shape of Standard Webhooks: `type`, `timestamp`, `data`. */
export const MerchantEvent = Type.Object({
  /** The same over all retries; without `.` (Standard Webhooks signs `id.timestamp.body`). */
  id: Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_-]+$' }),
  /** `message.received`, `message.sent`, `message.failed` … */
  type: Type.String({ minLength: 1, maxLength: 128, pattern: '^[a-z0-9_.]+$' }),
  occurredAtMs: Epoch,
  data: ProviderObject,
});

/** `webhooks`: events of one merchant, to be fanned out to its endpoints. */
export const PublishEvents = Type.Object({
  merchantId: Id,
  batchId: Id,
  events: Type.Array(MerchantEvent, { minItems: 1, maxItems: 1000 }),
});

/** `webhooks`: one delivery to one endpoint, recorded already. */
export const DeliverWebhook = Type.Object({
  merchantId: Id,
  deliveryId: Id,
  turn: Type.Integer({ minimum: 0 }),
});

/** `notifications`: tells the operators. Notifications with the same key are gathered. */
export const SendNotification = Type.Object({
  merchantId: Type.Optional(Id),
  notificationId: Id,
  key: Type.String({ minLength: 1, maxLength: 191 }),
  severity: Type.Union([Type.Literal('info'), Type.Literal('warning'), Type.Literal('critical')]),
  title: Type.String({ minLength: 1, maxLength: 200 }),
  body: Type.Optional(Type.String()),
  occurredAtMs: Epoch,
});

/** `webhooks`: forget deliveries that tell of a person who was erased. */
export const EraseDeliveries = Type.Object({
  merchantId: Id,
  erasureId: Id,
  contactIds: Type.Array(Id, { maxItems: 50 }),
  identifiers: Identifiers,
});
