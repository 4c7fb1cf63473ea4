import Type from 'typebox';
import { Epoch, Id, ProviderObject, Reference } from './shared.ts';

/** What a flow may know of a person, as of the event's transaction. */
export const ContactSnapshot = Type.Object({
  id: Id,
  /** The address replies go to: a phone number in E.164 with `+`, or a business-scoped user id. */
  address: Type.String({ minLength: 3, maxLength: 160 }),
  phone: Type.Optional(Type.String()),
  userId: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
  username: Type.Optional(Type.String()),
  language: Type.Optional(Type.String()),
  timeZone: Type.Optional(Type.String()),
  optedOut: Type.Boolean(),
  tags: Type.Optional(Type.Array(Type.String())),
  attributes: Type.Optional(ProviderObject),
  /** Free-form messages are allowed until then; absent or past: templates only. */
  windowExpiresAtMs: Type.Optional(Epoch),
});

/** A message a person sent, in the terms that triggers and questions work with. */
export const InboundContent = Type.Object({
  /** The provider's type, `text` … `unsupported`, or one unknown today. */
  type: Type.String(),
  /** Text, caption, or the title of the button or row that was tapped. */
  text: Type.Optional(Type.String()),
  /** The id of the button or list row, or a template button's payload. */
  replyId: Type.Optional(Type.String()),
  media: Type.Optional(Reference),
  referral: Type.Optional(ProviderObject),
  /** The provider's id of the message that is quoted. */
  contextId: Type.Optional(Type.String()),
  /** The provider's object, for nodes that need more. */
  raw: Type.Optional(ProviderObject),
});

/** `flows`: an event that met its contact. `sequence` orders the events of one contact without gaps. */
export const HandleEvent = Type.Object({
  merchantId: Id,
  eventId: Id,
  kind: Type.Union([Type.Literal('message'), Type.Literal('shopify'), Type.Literal('custom')]),
  /** `message.received`, a Shopify topic, or the custom event's type. */
  name: Type.String(),
  contact: ContactSnapshot,
  sequence: Type.Integer({ minimum: 1 }),
  senderId: Type.Optional(Id),
  messageId: Type.Optional(Id),
  /** The provider's id of the message. */
  providerMessageId: Type.Optional(Type.String()),
  content: Type.Optional(InboundContent),
  /** Body of a Shopify or custom event, as text. */
  body: Type.Optional(Type.String()),
  occurredAtMs: Epoch,
  acceptedAtMs: Epoch,
});

/** `flows`: starts a flow for a contact (API, schedule, another flow). `startId` makes it once. */
export const StartRun = Type.Object({
  merchantId: Id,
  startId: Id,
  flowId: Id,
  contact: ContactSnapshot,
  senderId: Type.Optional(Id),
  input: Type.Optional(ProviderObject),
});

/** `flows`: what a run waited for has come: a time, or a time-out. */
export const ResumeRun = Type.Object({
  merchantId: Id,
  runId: Id,
  contactId: Id,
  /** The wait that ends; a run that moved on ignores it. */
  waitId: Id,
  reason: Type.Union([
    Type.Literal('timer'),
    Type.Literal('timeout'),
    Type.Literal('retry'),
    Type.Literal('ai'),
  ]),
  result: Type.Optional(ProviderObject),
});

/** `flows`: how a message ended that a flow asked for. */
export const RecordMessageOutcome = Type.Object({
  merchantId: Id,
  runId: Id,
  stepId: Type.String(),
  messageId: Id,
  outcome: Type.Union([
    Type.Literal('accepted'),
    Type.Literal('failed'),
    Type.Literal('skipped'),
    Type.Literal('expired'),
  ]),
  reason: Type.Optional(Type.String()),
  decidedAtMs: Epoch,
});

/** `flows`: forget contacts that were erased. */
export const EraseConversations = Type.Object({
  merchantId: Id,
  erasureId: Id,
  contacts: Type.Array(
    Type.Object({ id: Id, phone: Type.Optional(Type.String()), userId: Type.Optional(Type.String()) }),
    { maxItems: 50 },
  ),
});

const AiRequest = {
  merchantId: Id,
  requestId: Id,
  runId: Id,
  stepId: Type.String(),
  waitId: Id,
  contactId: Id,
};

/** `ai`: a reply in a conversation. */
export const GenerateReply = Type.Object({
  ...AiRequest,
  messages: Type.Array(ProviderObject, { minItems: 1 }),
  instructions: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
});

/** `ai`: one of the given labels, or values by schema. */
export const ClassifyText = Type.Object({
  ...AiRequest,
  text: Type.String({ minLength: 1 }),
  labels: Type.Optional(Type.Array(Type.String(), { minItems: 2 })),
  schema: Type.Optional(ProviderObject),
  model: Type.Optional(Type.String()),
});

/** `ai`: a voice message as text. */
export const TranscribeAudio = Type.Object({
  ...AiRequest,
  audio: Reference,
  language: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
});
