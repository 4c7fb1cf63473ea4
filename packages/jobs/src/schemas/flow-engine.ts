import Type from 'typebox';
import { Epoch, Handler, Id, ProviderObject, Reference } from './shared.ts';

/** What a flow may know of a person, as of the event's transaction. */
export const ContactSnapshot = Type.Object({
  id: Id,
  /** The address replies go to: a phone number in E.164 with `+`, or a business-scoped user id. */
  address: Type.String({ minLength: 3, maxLength: 160 }),
  phone: Type.Optional(Type.String()),
  userId: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
  username: Type.Optional(Type.String()),
  email: Type.Optional(Type.String()),
  shopifyCustomerId: Type.Optional(Type.String()),
  /** The merchant's own id of the person. */
  externalId: Type.Optional(Type.String()),
  language: Type.Optional(Type.String()),
  timeZone: Type.Optional(Type.String()),
  /** Wants no messages at all. */
  optedOut: Type.Boolean(),
  /** Wants no marketing. */
  marketingOptedOut: Type.Optional(Type.Boolean()),
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
  /** The stored file. Absent where it could not be fetched, or not in time; `mediaProblem` says which. */
  media: Type.Optional(Reference),
  mediaProblem: Type.Optional(Type.String()),
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
  kind: Type.Union([
    Type.Literal('message'),
    Type.Literal('shopify'),
    Type.Literal('custom'),
    Type.Literal('contact'),
  ]),
  /**
   * `message.received`, a Shopify topic, or the custom event's type. Of kind `contact`: `contact.tag_added` and `contact.tag_removed`
   * (body `{"tag"}`), `contact.attribute_changed` (body `{"name", "value", "previous"}`), `contact.merged` (body
   * `{"mergedContactId", "mergedSequence"}`: what belonged to that contact is this one's now, and the last event that was passed on
   * for that one had this place).
   */
  name: Type.String(),
  contact: ContactSnapshot,
  sequence: Type.Integer({ minimum: 1 }),
  senderId: Type.Optional(Id),
  messageId: Type.Optional(Id),
  /** The provider's id of the message. */
  providerMessageId: Type.Optional(Type.String()),
  content: Type.Optional(InboundContent),
  /** Body of a Shopify, custom or contact event, as JSON text. */
  body: Type.Optional(Type.String()),
  /** The message answers one of this campaign. */
  campaignId: Type.Optional(Id),
  /** The person has never written before. */
  isFirstMessage: Type.Optional(Type.Boolean()),
  /** Who answers the person: while it is a person, automation rests. */
  handler: Type.Optional(Handler),
  /** The run that made the change which a contact event tells of, so that flows don't set each other off for ever. */
  origin: Type.Optional(Type.Object({ runId: Id })),
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
  /** How many runs have set each other off before this one. */
  chainDepth: Type.Optional(Type.Integer({ minimum: 0 })),
});

/**
 * What became of a call to the outside that a run asked for. `code` is one of ours (`HTTP_TIMED_OUT`, `AI_UNAVAILABLE` …), `message`
 * a sentence for the person who built the flow.
 */
export const CallResult = Type.Union([
  Type.Object({ ok: Type.Literal(true), value: Type.Optional(Type.Unknown()) }),
  Type.Object({ ok: Type.Literal(false), code: Type.String(), message: Type.String() }),
]);

/**
 * `flows`: what a run waited for has come: a time, a time-out, or the `result` of a call (a {@link CallResult}); or a failed run is
 * tried again from the node that failed.
 */
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
    Type.Literal('call'),
  ]),
  result: Type.Optional(ProviderObject),
  /** Tells wake-ups of one wait apart, where there is more than one. */
  turn: Type.Optional(Type.Integer({ minimum: 0 })),
});

/** A request to somebody's HTTP endpoint. */
export const HttpCall = Type.Object({
  kind: Type.Literal('http'),
  method: Type.Union([
    Type.Literal('GET'),
    Type.Literal('POST'),
    Type.Literal('PUT'),
    Type.Literal('PATCH'),
    Type.Literal('DELETE'),
  ]),
  url: Type.String({ minLength: 1, maxLength: 8192 }),
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
  /** Sent as it is; `json` is sent as JSON. */
  body: Type.Optional(Type.String()),
  json: Type.Optional(Type.Unknown()),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 1 })),
  /** Names of the merchant's secrets, by what stands for them above: only who makes the request knows their values. */
  secrets: Type.Optional(Type.Record(Type.String(), Type.String())),
});

/** A look into a shop; `by` says what `value` is. */
export const ShopifyCall = Type.Object({
  kind: Type.Literal('shopify'),
  resource: Type.Union([Type.Literal('order'), Type.Literal('customer'), Type.Literal('product')]),
  by: Type.Union([
    Type.Literal('id'),
    Type.Literal('name'),
    Type.Literal('email'),
    Type.Literal('phone'),
    Type.Literal('query'),
  ]),
  value: Type.String({ minLength: 1, maxLength: 1024 }),
  /** The merchant's only shop where absent. */
  shopDomain: Type.Optional(Type.String()),
});

/**
 * `flows`: asks the outside for a run, under `requestId` (of run and step: asking again is asking for the same thing). Its result
 * resumes the run.
 */
export const ExecuteCall = Type.Object({
  merchantId: Id,
  requestId: Id,
  runId: Id,
  stepId: Type.String(),
  waitId: Id,
  contactId: Id,
  call: Type.Union([HttpCall, ShopifyCall]),
});

/** `flows`: who answers a contact from now on; with `untilMs`, automation comes back by itself then. `changeId` makes it once. */
export const SetConversationHandler = Type.Object({
  merchantId: Id,
  changeId: Id,
  contactId: Id,
  handler: Handler,
  untilMs: Type.Optional(Epoch),
  byUser: Type.Optional(Type.String()),
});

/** How many values a message must give a template; what is not known is left out. */
const TemplateParameters = Type.Object({
  /** Of a text, its placeholders; 1 for a picture, video, document or place. */
  header: Type.Optional(Type.Integer({ minimum: 0 })),
  body: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Buttons that take one: addresses with a placeholder, codes to copy. */
  buttons: Type.Optional(Type.Integer({ minimum: 0 })),
});

/**
 * `flows`: all message templates that an account of the provider has, so that flows which name others can be refused. The list of a
 * higher `revision` takes the place of the one before; an empty one says that there are none.
 */
export const SetTemplates = Type.Object({
  merchantId: Id,
  /** The provider's id of the account. */
  wabaId: Type.String({ minLength: 1, maxLength: 191 }),
  /** Grows with every change, such as the time of it. */
  revision: Type.Integer({ minimum: 0 }),
  templates: Type.Array(
    Type.Object({
      name: Type.String({ minLength: 1, maxLength: 512 }),
      language: Type.String({ minLength: 1, maxLength: 16 }),
      /** The provider's word, such as `APPROVED`. */
      status: Type.String({ minLength: 1, maxLength: 64 }),
      parameters: Type.Optional(TemplateParameters),
    }),
    { maxItems: 10_000 },
  ),
});

/** `flows`: a source has been stopped (a shop has removed the app): flows must not ask it any more. */
export const StopFlowSource = Type.Object({
  merchantId: Id,
  sourceKind: Type.Union([Type.Literal('whatsapp'), Type.Literal('shopify'), Type.Literal('custom')]),
  sourceKey: Type.String({ minLength: 1 }),
  reason: Type.String(),
  /** Later than this, the source may have been connected again. */
  stoppedAtMs: Epoch,
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
  /** `{role: "user" | "assistant", content}`, oldest first. */
  messages: Type.Array(ProviderObject, { minItems: 1 }),
  instructions: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
  maxTokens: Type.Optional(Type.Integer({ minimum: 1 })),
  temperature: Type.Optional(Type.Number({ minimum: 0 })),
});

/** `ai`: one of the given labels, or values by schema. */
export const ClassifyText = Type.Object({
  ...AiRequest,
  text: Type.String({ minLength: 1 }),
  labels: Type.Optional(Type.Array(Type.String(), { minItems: 2 })),
  schema: Type.Optional(ProviderObject),
  instructions: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
});

/** `ai`: a voice message as text. */
export const TranscribeAudio = Type.Object({
  ...AiRequest,
  audio: Reference,
  language: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
});
