import Type, { type TSchema } from 'typebox';
import { type MessageState, messageStates } from '../messages/message-state.ts';
import type { SendMessage } from '../messages/outgoing-message.ts';
import { type WaitReason, waitReasons } from '../messages/wait-reason.ts';

/** A value or null. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
/** A point in time. */
export const epoch = (description: string) =>
  Type.Integer({ description: `${description}, milliseconds since 1970` });
/** An object whose inside is not ours. */
export const object = Type.Record(Type.String(), Type.Unknown());

/** Id in a path. */
export const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 191 }) });

/** Nothing but what is named: a filter that is misspelled must not answer as if there were none. */
export const closed = { additionalProperties: false } as const;

/** What every list takes. */
export const pageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Items of a page' }),
  cursor: Type.Optional(Type.String({ maxLength: 300, description: '`nextCursor` of the page before' })),
};

/** What every list answers. */
export function page<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), nextCursor: nullable(Type.String()) });
}

/** States of a message. */
export const MessageStateSchema = Type.Unsafe<MessageState>(
  Type.Union(messageStates.map((state) => Type.Literal(state))),
);

/** One message to send. */
export const MessageRequest = Type.Object(
  {
    to: Type.String({
      minLength: 3,
      maxLength: 160,
      description: 'Phone number in international form, or a business-scoped user id',
    }),
    content: Type.Union([Type.String({ minLength: 1, maxLength: 4096 }), object], {
      description:
        "Text, or the Cloud API's object of the type (`GET /api/v1/messages/kinds`); files also as `media`, the id of one kept here",
    }),
    type: Type.Optional(
      Type.Unsafe<NonNullable<SendMessage['type']>>(
        Type.Union(
          [
            'text',
            'image',
            'audio',
            'video',
            'document',
            'sticker',
            'location',
            'contacts',
            'reaction',
            'interactive',
            'template',
          ].map((type) => Type.Literal(type)),
        ),
      ),
    ),
    senderId: Type.Optional(Type.String({ maxLength: 191 })),
    replyTo: Type.Optional(
      Type.String({ maxLength: 500, description: "The provider's id of a message to quote" }),
    ),
    lane: Type.Optional(
      Type.Union([Type.Literal('transactional'), Type.Literal('flow'), Type.Literal('campaign')]),
    ),
    expiresAtMs: Type.Optional(epoch('Never sent later than this')),
    onUnknown: Type.Optional(Type.Union([Type.Literal('resend'), Type.Literal('fail')])),
    templateFallback: Type.Optional(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 512 }),
          language: Type.Object({ code: Type.String({ minLength: 2, maxLength: 16 }) }),
          components: Type.Optional(Type.Array(object, { maxItems: 20 })),
        },
        {
          ...closed,
          description: 'The template that goes instead when the 24-hour window is closed',
        },
      ),
    ),
  },
  closed,
);

/** One message, or up to 100. */
export const SendBody = Type.Union([
  MessageRequest,
  Type.Object({ messages: Type.Array(MessageRequest, { minItems: 1, maxItems: 100 }) }, closed),
]);

/** A message in a list. */
export const MessageView = Type.Object({
  id: Type.String(),
  direction: Type.Union([Type.Literal('in'), Type.Literal('out')]),
  contactId: nullable(Type.String()),
  senderId: nullable(Type.String()),
  address: Type.String(),
  type: Type.String(),
  content: object,
  lane: Type.String(),
  replyTo: nullable(Type.String()),
  origin: nullable(object),
  templateFallback: nullable(object),
  replaced: nullable(object),
  state: MessageStateSchema,
  providerMessageId: nullable(Type.String()),
  failureCode: nullable(Type.String()),
  failureReason: nullable(Type.String()),
  attempts: Type.Integer(),
  nextAttemptAtMs: nullable(epoch('Looked at again')),
  waitingFor: Type.Union(
    [
      Type.Object({
        code: Type.Unsafe<WaitReason>(Type.Union(Object.keys(waitReasons).map((code) => Type.Literal(code)))),
        untilMs: nullable(epoch('It is tried again')),
      }),
      Type.Null(),
    ],
    { description: 'Why a queued message was put off' },
  ),
  expiresAtMs: nullable(epoch('Never sent later')),
  createdAtMs: epoch('Recorded'),
  updatedAtMs: epoch('Last change'),
});

/** A message with everything that happened to it. */
export const MessageDetail = Type.Interface([MessageView], {
  timeline: Type.Array(
    Type.Object({
      state: Type.String(),
      attempt: Type.Integer(),
      atMs: epoch('When it happened'),
      recordedAtMs: epoch('When we learned of it'),
      cause: Type.String(),
      code: nullable(Type.String()),
      detail: nullable(Type.String()),
    }),
  ),
});

/** A person. */
export const ContactView = Type.Object({
  id: Type.String(),
  name: nullable(Type.String()),
  phone: nullable(Type.String()),
  userId: nullable(Type.String()),
  username: nullable(Type.String()),
  email: nullable(Type.String()),
  shopifyCustomerId: nullable(Type.String()),
  externalId: nullable(Type.String()),
  language: nullable(Type.String()),
  timeZone: nullable(Type.String()),
  optedOut: Type.Boolean({ description: 'Wants no messages at all' }),
  marketingOptedOut: Type.Boolean({ description: 'Wants no marketing' }),
  tags: Type.Array(Type.String()),
  attributes: object,
  createdAtMs: epoch('First met'),
  updatedAtMs: epoch('Last change'),
});

/** A person with identifiers, consents and windows. */
export const ContactDetail = Type.Interface([ContactView], {
  identifiers: Type.Array(Type.Object({ kind: Type.String(), value: Type.String() })),
  consents: Type.Array(
    Type.Object({
      purpose: Type.String(),
      granted: Type.Boolean(),
      source: Type.String(),
      decidedAtMs: epoch('Decided'),
    }),
  ),
  conversations: Type.Array(
    Type.Object({ senderId: Type.String(), windowExpiresAtMs: epoch('Free-form messages end') }),
  ),
});

/** A number; its token is never shown. */
export const SenderView = Type.Object({
  id: Type.String(),
  phoneNumberId: Type.String(),
  wabaId: nullable(Type.String()),
  displayPhoneNumber: nullable(Type.String()),
  hasAccessToken: Type.Boolean(),
  state: Type.Union([Type.Literal('active'), Type.Literal('paused')]),
  pauseCode: nullable(Type.String()),
  pauseReason: nullable(Type.String()),
  messagesPerSecond: nullable(Type.Number()),
  followsProvider: Type.Boolean({ description: 'The rate moves with what the provider allows' }),
  verifiedName: nullable(Type.String()),
  nameStatus: nullable(Type.String()),
  providerStatus: nullable(Type.String()),
  qualityRating: nullable(Type.String()),
  messagingLimitTier: nullable(Type.String()),
  peoplePerDay: nullable(Type.Integer()),
  throughputLevel: nullable(Type.String()),
  probedAtMs: nullable(epoch('The provider was asked')),
  probeProblem: nullable(Type.String()),
  isDefault: Type.Boolean(),
  createdAtMs: epoch('Recorded'),
  updatedAtMs: epoch('Last change'),
});

/** An address nothing is sent to. */
export const SuppressionView = Type.Object({
  kind: Type.String(),
  value: Type.String(),
  scope: Type.Union([Type.Literal('all'), Type.Literal('marketing')]),
  reason: Type.String(),
  source: Type.String(),
  createdAtMs: epoch('Since'),
});

/** Why a message would be refused. */
export const RequestProblemView = Type.Object({
  index: Type.Integer(),
  field: Type.String(),
  code: Type.String(),
  message: Type.String(),
});
