import Type, { type Static } from 'typebox';

const text = (description: string) => Type.Optional(Type.String({ description }));

/** A message from a person, as it can be given to the simulator. */
export const InboundInput = Type.Object(
  {
    from: text('Phone number; absent for a sender who shows only a user id.'),
    userId: text('Business-scoped user id; made from the phone number when absent.'),
    parentUserId: text('Parent business-scoped user id.'),
    name: text('Profile name.'),
    username: text('User name.'),
    hidePhone: Type.Optional(Type.Boolean({ description: 'Leave the phone number out of the webhook.' })),
    phoneNumberId: text('The business number written to; the first one when absent.'),
    id: text('Message id; a new one when absent. Give an old one to repeat a delivery.'),
    timestampSeconds: Type.Optional(Type.Integer({ minimum: 0 })),
    type: text(
      'text, image, interactive, button, reaction, system, unsupported, … or one that does not exist yet.',
    ),
    text: text('Shorthand: body of a text message.'),
    buttonReply: Type.Optional(
      Type.Object(
        { id: Type.String(), title: Type.String() },
        { description: 'Shorthand: a tapped reply button.' },
      ),
    ),
    listReply: Type.Optional(
      Type.Object(
        { id: Type.String(), title: Type.String(), description: Type.Optional(Type.String()) },
        { description: 'Shorthand: a tapped list row.' },
      ),
    ),
    flowReply: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'Shorthand: a completed flow; its response_json.',
      }),
    ),
    templateButton: Type.Optional(
      Type.Object(
        { payload: Type.String(), text: Type.String() },
        { description: 'Shorthand: a tapped quick reply of a template.' },
      ),
    ),
    reaction: Type.Optional(
      Type.Object(
        { messageId: Type.String(), emoji: Type.Optional(Type.String()) },
        { description: 'Shorthand: a reaction; without emoji it is taken back.' },
      ),
    ),
    mediaBase64: text('Bytes of an image, video, audio, document or sticker; a small sample when absent.'),
    mimeType: text('Type of the media.'),
    caption: text('Caption of the media.'),
    fileName: text('File name of a document.'),
    replyTo: text('Message id that this one answers: sets `context`.'),
    context: Type.Optional(Type.Unknown({ description: '`context` as it stands in the webhook.' })),
    referral: Type.Optional(Type.Unknown({ description: '`referral` as it stands in the webhook.' })),
    content: Type.Optional(Type.Unknown({ description: "What stands under the message type's own key." })),
    errors: Type.Optional(
      Type.Array(Type.Unknown(), { description: '`errors[]` of an unsupported message.' }),
    ),
    valueErrors: Type.Optional(
      Type.Array(Type.Unknown(), { description: '`errors[]` of the value, beside the message.' }),
    ),
    extra: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'Merged into the message, over everything.',
      }),
    ),
    withoutContact: Type.Optional(
      Type.Boolean({ description: 'Leave `contacts` out, as system messages do.' }),
    ),
  },
  { additionalProperties: false },
);
export type InboundInput = Static<typeof InboundInput>;
