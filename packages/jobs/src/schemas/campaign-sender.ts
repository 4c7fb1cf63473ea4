import Type from 'typebox';
import { CorrelatedEvent, Epoch, Handler, Id, Identifiers, ProviderObject, Reference } from './shared.ts';

/** A person's profile as it comes with a WhatsApp webhook. Every identifier may be absent (business-scoped user ids). */
export const WebhookProfile = Type.Object({
  name: Type.Optional(Type.String()),
  username: Type.Optional(Type.String()),
  waId: Type.Optional(Type.String()),
  userId: Type.Optional(Type.String()),
  parentUserId: Type.Optional(Type.String()),
});

/** `inbound`: a WhatsApp message as the provider sent it. */
export const ReceiveMessage = Type.Object({
  merchantId: Id,
  /** The provider's event, hashed: the key under which ingress, queue and consumer absorb repeats. */
  eventId: Id,
  phoneNumberId: Type.String(),
  wabaId: Type.Optional(Type.String()),
  displayPhoneNumber: Type.Optional(Type.String()),
  profile: Type.Optional(WebhookProfile),
  /** `messages[]` of the Cloud API, unchanged, of whatever type. */
  message: ProviderObject,
  /** The field of the webhook it came in: `messages`, or `smb_message_echoes`. */
  field: Type.Optional(Type.String()),
  /** The provider's timestamp. */
  occurredAtMs: Epoch,
  receivedAtMs: Epoch,
});

/** `inbound`: a Shopify webhook. The body stays text, since its 18-digit ids do not survive JSON numbers. */
export const ReceiveShopifyEvent = Type.Object({
  merchantId: Id,
  eventId: Id,
  shopDomain: Type.String(),
  topic: Type.String(),
  webhookId: Type.String(),
  correlationEventId: Type.Optional(Type.String()),
  apiVersion: Type.Optional(Type.String()),
  triggeredAtMs: Type.Optional(Epoch),
  receivedAtMs: Epoch,
  body: Type.String(),
});

/** `inbound`: an event of the merchant's own systems. */
export const ReceiveCustomEvent = Type.Object({
  merchantId: Id,
  eventId: Id,
  source: Type.String(),
  type: Type.String(),
  occurredAtMs: Epoch,
  receivedAtMs: Epoch,
  body: Type.String(),
});

/** `receipts`: all statuses of one webhook change; idempotent by rank, so they need no key each. */
export const ApplyStatuses = Type.Object({
  merchantId: Id,
  phoneNumberId: Type.String(),
  wabaId: Type.Optional(Type.String()),
  /** `statuses[]` of the Cloud API, unchanged. */
  statuses: Type.Array(ProviderObject, { minItems: 1 }),
  receivedAtMs: Epoch,
});

/** `receipts`: template, number and account updates, and every other field of the webhook. */
export const ApplyAccountUpdate = Type.Object({
  merchantId: Id,
  eventId: Id,
  wabaId: Type.Optional(Type.String()),
  phoneNumberId: Type.Optional(Type.String()),
  /** The webhook's field, such as `message_template_status_update`. */
  field: Type.String(),
  value: Type.Unknown(),
  occurredAtMs: Epoch,
  receivedAtMs: Epoch,
});

/** `receipts`: a person's marketing preference, or a change of user id. */
export const ApplyPreferences = Type.Object({
  merchantId: Id,
  eventId: Id,
  phoneNumberId: Type.Optional(Type.String()),
  wabaId: Type.Optional(Type.String()),
  field: Type.String(),
  value: Type.Unknown(),
  occurredAtMs: Epoch,
  receivedAtMs: Epoch,
});

const ContactChange = {
  merchantId: Id,
  contactId: Id,
  effectId: Id,
  /** The run that wants it: its own flow is not started by it. */
  runId: Type.Optional(Id),
};

/** `contacts`: tags to add and remove. */
export const TagContact = Type.Object({
  ...ContactChange,
  add: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 50 })),
  remove: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 50 })),
});

/** `contacts`: attributes to set; null removes one. */
export const SetAttributes = Type.Object({
  ...ContactChange,
  attributes: Type.Record(
    Type.String(),
    Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]),
  ),
});

/** `contacts`: consent given or withdrawn for a purpose. */
export const SetConsent = Type.Object({
  ...ContactChange,
  purpose: Type.Union([Type.Literal('marketing'), Type.Literal('service')]),
  granted: Type.Boolean(),
  source: Type.String(),
  decidedAtMs: Epoch,
});

/** `contacts`: the person wants no more messages. */
export const OptOut = Type.Object({ ...ContactChange, source: Type.String(), decidedAtMs: Epoch });

/** `contacts`: who has the conversation from now on. `untilMs`: then automation has it again by itself. */
export const SetHandover = Type.Object({
  ...ContactChange,
  handler: Handler,
  untilMs: Type.Optional(Epoch),
  reason: Type.Optional(Type.String({ maxLength: 500 })),
});

/**
 * `contacts`: start a flow for one contact, known or not (`contactId`, else `to`), or for everybody with a tag. Each contact gets one
 * `flows`/start-run.
 */
export const RequestRun = Type.Object({
  merchantId: Id,
  startId: Id,
  flowId: Id,
  contactId: Type.Optional(Id),
  /** A phone number or a business-scoped user id; a contact is made where none has it. */
  to: Type.Optional(Type.String({ minLength: 3, maxLength: 160 })),
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  input: Type.Optional(ProviderObject),
  senderId: Type.Optional(Id),
  /** By tag: goes on after this contact. Set by the job itself, page by page. */
  afterContactId: Type.Optional(Id),
});

/** Text alone, or the Cloud API's object of the message's type (`{body}`, `{link, caption}`, `{name, language}` …). */
export const MessageContent = Type.Union([Type.String({ minLength: 1 }), ProviderObject]);

/** The kinds of message that can be sent. */
export const MessageType = Type.Union([
  Type.Literal('text'),
  Type.Literal('image'),
  Type.Literal('audio'),
  Type.Literal('video'),
  Type.Literal('document'),
  Type.Literal('sticker'),
  Type.Literal('location'),
  Type.Literal('contacts'),
  Type.Literal('reaction'),
  Type.Literal('interactive'),
  Type.Literal('template'),
]);

/** Who asked for a message, so that its outcome finds the way back. */
export const MessageOrigin = Type.Union([
  Type.Object({
    kind: Type.Literal('flow'),
    runId: Id,
    stepId: Type.String(),
    notifyOutcome: Type.Optional(Type.Boolean()),
  }),
  Type.Object({ kind: Type.Literal('campaign'), campaignId: Id, recipientId: Id }),
  Type.Object({ kind: Type.Literal('api'), requestId: Type.Optional(Type.String()) }),
  Type.Object({ kind: Type.Literal('person'), userId: Type.String() }),
]);

/** Which share of a number's throughput a message uses; transactional is served first, campaigns last. */
export const MessageLane = Type.Union([
  Type.Literal('transactional'),
  Type.Literal('flow'),
  Type.Literal('campaign'),
]);

/** A template to send in place of free-form content when the 24-hour window is closed. */
export const TemplateFallback = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 512 }),
  language: Type.Object({ code: Type.String({ minLength: 2, maxLength: 16 }) }),
  components: Type.Optional(Type.Array(ProviderObject, { maxItems: 20 })),
});

/** `messages`: one message to one person (R2.11: at least `{to, content, type?}`). */
export const SendMessage = Type.Object({
  /** The default merchant where absent. */
  merchantId: Type.Optional(Id),
  /** The same id is the same message, however often it is asked for. */
  messageId: Type.Optional(Id),
  /** A phone number in E.164, with or without `+`, or a business-scoped user id. */
  to: Type.String({ minLength: 3, maxLength: 160 }),
  content: MessageContent,
  type: Type.Optional(MessageType),
  contactId: Type.Optional(Id),
  /** The number to send from; the merchant's default where absent. */
  senderId: Type.Optional(Id),
  /** Quotes a message of the conversation. */
  replyTo: Type.Optional(Type.String()),
  lane: Type.Optional(MessageLane),
  origin: Type.Optional(MessageOrigin),
  /** Never sent later than this. */
  expiresAtMs: Type.Optional(Epoch),
  /** What happens when no receipt settles an attempt with an unknown end. */
  onUnknown: Type.Optional(Type.Union([Type.Literal('resend'), Type.Literal('fail')])),
  /** Sent instead of free-form content where the window is closed; without it such a message fails. */
  templateFallback: Type.Optional(TemplateFallback),
});

/** `messages`: several messages of a merchant and lane, each as by a job of its own: what a job costs in Redis and its worker is shared. */
export const SendMessages = Type.Object({
  messages: Type.Array(
    Type.Object({
      message: Type.Object({ ...SendMessage.properties, messageId: Id }),
      /** What the message's own job would have had. */
      meta: Type.Optional(
        Type.Object({
          correlationId: Type.Optional(Type.String()),
          traceparent: Type.Optional(Type.String()),
        }),
      ),
    }),
    { minItems: 1, maxItems: 100 },
  ),
});

/** `messages`: a wake-up for messages that are recorded already; a message's `turn` makes the id new when it is handed out again. */
export const DeliverMessages = Type.Object({
  merchantId: Id,
  messages: Type.Array(Type.Object({ messageId: Id, turn: Type.Integer({ minimum: 0 }) }), {
    minItems: 1,
    maxItems: 100,
  }),
});

/** `messages`: a wake-up for a single message, as earlier versions made them. */
export const DeliverMessage = Type.Object({
  merchantId: Id,
  messageId: Id,
  turn: Type.Integer({ minimum: 0 }),
});

/**
 * `messages`: shows the person that a message of theirs, and all before it, was read, and perhaps that an answer is being typed. No message:
 * nothing is recorded, and twice is as good as once.
 */
export const MarkRead = Type.Object({
  merchantId: Id,
  messageId: Id,
  typing: Type.Optional(Type.Boolean()),
});

/** `campaigns`: the steps of a campaign. */
export const CampaignStep = Type.Object({
  merchantId: Type.Optional(Id),
  campaignId: Id,
  turn: Type.Optional(Type.Integer({ minimum: 0 })),
});

/** `imports`: a stored file of contacts. */
export const ImportContacts = Type.Object({ merchantId: Id, importId: Id, file: Reference });

/** `exports`: records to write to a file. */
export const ExportRecords = Type.Object({
  merchantId: Id,
  exportId: Id,
  kind: Type.Union([Type.Literal('contacts'), Type.Literal('recipients'), Type.Literal('messages')]),
  filter: Type.Optional(ProviderObject),
  ...CorrelatedEvent,
});

/** `contacts`: erase a person; the owners that know contacts by id are told from there. */
export const EraseContact = Type.Object({ merchantId: Id, erasureId: Id, identifiers: Identifiers });

/** `contacts`: erase what a shop has sent and nobody could be found for. */
export const EraseShopEvents = Type.Object({ merchantId: Id, erasureId: Id, shopDomain: Type.String() });

/** `contacts`: provide what is known of a person. */
export const ExportContact = Type.Object({ merchantId: Id, requestId: Id, identifiers: Identifiers });

/** `contacts`: the event types that a merchant's endpoints want, passed on by ingress; no others are published. */
export const SetEventSubscriptions = Type.Object({
  merchantId: Id,
  version: Type.Integer({ minimum: 0 }),
  /** `*` for all, `message.*` for a family, or a type. */
  eventTypes: Type.Array(Type.String()),
});
