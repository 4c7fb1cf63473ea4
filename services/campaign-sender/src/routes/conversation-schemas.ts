import Type from 'typebox';
import { closed, epoch, MessageRequest, MessageView, nullable } from './schemas.ts';

/** Who answers. */
export const HandlerSchema = Type.Union([Type.Literal('person'), Type.Literal('automation')]);

/** A file that came with a message. */
export const MediaView = Type.Object({
  id: Type.String(),
  type: Type.String(),
  state: Type.Union([
    Type.Literal('pending'),
    Type.Literal('stored'),
    Type.Literal('failed'),
    Type.Literal('pruned'),
  ]),
  mimeType: nullable(Type.String()),
  fileName: nullable(Type.String()),
  bytes: nullable(Type.Integer()),
  failureCode: nullable(Type.String()),
});

/** A message of a conversation. */
export const ConversationMessage = Type.Interface([MessageView], {
  sequence: nullable(Type.Integer({ description: "Place among the contact's events; of messages to us" })),
  origin: nullable(
    Type.Record(Type.String(), Type.Unknown(), { description: 'Who asked for it; of messages from us' }),
  ),
  media: nullable(MediaView),
});

/** A conversation in a list. */
export const ConversationView = Type.Object({
  id: Type.String({ description: "The contact's id: one conversation for each person" }),
  name: nullable(Type.String()),
  phone: nullable(Type.String()),
  userId: nullable(Type.String()),
  username: nullable(Type.String()),
  optedOut: Type.Boolean(),
  handler: HandlerSchema,
  handlerUserId: nullable(Type.String()),
  handlerReason: nullable(Type.String()),
  handlerSinceMs: nullable(epoch('Since then')),
  handlerUntilMs: nullable(epoch('Then automation has it again')),
  unreadCount: Type.Integer(),
  lastInboundAtMs: nullable(epoch('The person wrote last')),
  windows: Type.Array(
    Type.Object({ senderId: Type.String(), windowExpiresAtMs: epoch('Free-form messages end') }),
  ),
  lastMessage: nullable(MessageView),
});

/** A reply: what a message is, but for whom it is for. */
export const ReplyBody = Type.Object(
  {
    content: MessageRequest.properties.content,
    type: MessageRequest.properties.type,
    senderId: MessageRequest.properties.senderId,
    replyTo: MessageRequest.properties.replyTo,
    expiresAtMs: MessageRequest.properties.expiresAtMs,
    onUnknown: MessageRequest.properties.onUnknown,
    keepAutomation: Type.Optional(
      Type.Boolean({ description: 'Leave the conversation with automation; it is handed over otherwise' }),
    ),
    userId: Type.Optional(
      Type.String({ minLength: 1, maxLength: 191, description: 'Who replies; the caller by default' }),
    ),
  },
  closed,
);

/** What a merchant can set about people. */
export const PeopleSettingsView = Type.Object({
  createContactsFromEvents: Type.Boolean({
    description: 'A phone number or user id in a Shopify or custom event makes a contact where nobody has it',
  }),
  defaultCountry: nullable(
    Type.String({
      pattern: '^[A-Z]{2}$',
      description: 'Where phone numbers without a country code are dialled, if the event names no country',
    }),
  ),
  handoverMinutes: nullable(
    Type.Integer({
      minimum: 1,
      maximum: 525_600,
      description: 'How long a person keeps a conversation after a reply; null: until it is released',
    }),
  ),
  campaignReplyHours: Type.Integer({
    minimum: 0,
    maximum: 168,
    description: 'For how long a message that quotes nothing counts as an answer to a campaign; 0: never',
  }),
});
