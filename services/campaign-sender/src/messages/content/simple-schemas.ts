import Type, { type TProperties } from 'typebox';

/** Lengths that the provider holds messages to. */
const BODY = 4096;
const CAPTION = 1024;

/** The provider refuses unexpected keys of these kinds, and so do we: a key that is misspelt is found here. */
const closed = <T extends TProperties>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });

/** Where a file comes from: exactly one of the three, which {@link checkMedia} sees to. */
const file = {
  id: Type.Optional(text(128)),
  link: Type.Optional(Type.String({ pattern: '^https?://', maxLength: 2048 })),
  media: Type.Optional(
    Type.String({ pattern: '^med_[A-Za-z0-9_-]+$', maxLength: 191, description: 'Id of a file kept here' }),
  ),
};
const caption = { caption: Type.Optional(Type.String({ maxLength: CAPTION })) };

/** `{body, preview_url?}` */
export const TextContent = closed({ body: text(BODY), preview_url: Type.Optional(Type.Boolean()) });
/** `{media | id | link, caption?}` */
export const ImageContent = closed({ ...file, ...caption });
/** `{media | id | link, caption?}` */
export const VideoContent = closed({ ...file, ...caption });
/** `{media | id | link, caption?, filename?}` */
export const DocumentContent = closed({
  ...file,
  ...caption,
  filename: Type.Optional(text(240)),
});
/** `{media | id | link, voice?}` */
export const AudioContent = closed({ ...file, voice: Type.Optional(Type.Boolean()) });
/** `{media | id | link}` */
export const StickerContent = closed(file);
/** `{message_id, emoji}`; an empty emoji takes the reaction back. */
export const ReactionContent = closed({
  message_id: text(512),
  emoji: Type.String({ maxLength: 32 }),
});
const coordinate = (bound: number) => Type.Number({ minimum: -bound, maximum: bound });
/** `{latitude, longitude, name?, address?}` */
export const LocationContent = closed({
  latitude: coordinate(90),
  longitude: coordinate(180),
  name: Type.Optional(text(1000)),
  address: Type.Optional(text(1000)),
});

const label = Type.Optional(Type.String({ maxLength: 64 }));
const word = Type.Optional(Type.String({ maxLength: 512 }));
const ContactCard = Type.Object({
  name: Type.Object({
    formatted_name: text(512),
    first_name: word,
    last_name: word,
    middle_name: word,
    prefix: word,
    suffix: word,
  }),
  phones: Type.Optional(
    Type.Array(Type.Object({ phone: Type.Optional(text(64)), type: label, wa_id: word }), { maxItems: 20 }),
  ),
  emails: Type.Optional(
    Type.Array(Type.Object({ email: Type.String({ pattern: '@', maxLength: 320 }), type: label }), {
      maxItems: 20,
    }),
  ),
  urls: Type.Optional(Type.Array(Type.Object({ url: text(2048), type: label }), { maxItems: 20 })),
  addresses: Type.Optional(
    Type.Array(
      Type.Object({
        street: word,
        city: word,
        state: word,
        zip: word,
        country: word,
        country_code: word,
        type: label,
      }),
      { maxItems: 20 },
    ),
  ),
  org: Type.Optional(Type.Object({ company: word, department: word, title: word })),
  birthday: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })),
});
/** `{contacts: [{name: {formatted_name, first_name …}, phones …}]}` */
export const ContactsContent = closed({
  contacts: Type.Array(ContactCard, { minItems: 1, maxItems: 257 }),
});
