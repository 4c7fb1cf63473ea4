import Type from 'typebox';
import { closed, nullable } from './schemas.ts';

const epoch = (description: string) =>
  Type.Integer({ minimum: 0, description: `${description}, milliseconds since 1970` });
const identifier = (description: string) =>
  Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 191, description })));

/** A tag. */
export const Tag = Type.String({ minLength: 1, maxLength: 64 });

/** A person's decision for a purpose. */
export const ConsentBody = Type.Object(
  {
    purpose: Type.Union([Type.Literal('marketing'), Type.Literal('service')]),
    granted: Type.Boolean(),
    source: Type.String({ minLength: 1, maxLength: 500, description: 'Where the person said so' }),
    decidedAtMs: Type.Optional(epoch('When the person said so; now by default')),
  },
  closed,
);

const Attributes = Type.Record(
  Type.String({ minLength: 1, maxLength: 64 }),
  Type.Union([Type.String({ maxLength: 2000 }), Type.Number(), Type.Boolean(), Type.Null()]),
  { maxProperties: 200, description: 'null removes one' },
);

const fields = {
  phone: identifier('A phone number, best in international form'),
  userId: identifier("The provider's business-scoped user id"),
  username: identifier('The name the person has at the provider'),
  email: identifier('An email address'),
  shopifyCustomerId: identifier("The shop's id of the customer"),
  externalId: identifier("The merchant's own id of the person"),
  name: Type.Optional(nullable(Type.String({ maxLength: 512 }))),
  language: Type.Optional(nullable(Type.String({ maxLength: 64, description: 'Such as de or pt_BR' }))),
  timeZone: Type.Optional(nullable(Type.String({ maxLength: 64, description: 'Such as Europe/Berlin' }))),
  attributes: Type.Optional(Attributes),
};

/** A contact to make. */
export const CreateContactBody = Type.Object(
  {
    ...fields,
    tags: Type.Optional(Type.Array(Tag, { maxItems: 50 })),
    consents: Type.Optional(Type.Array(ConsentBody, { maxItems: 10 })),
    onExisting: Type.Optional(
      Type.Union([Type.Literal('refuse'), Type.Literal('update')], {
        description:
          'Where somebody has one of the identifiers: refuse (the default), or change that contact',
      }),
    ),
  },
  closed,
);

/** Changes of a contact; null takes something away. */
export const ChangeContactBody = Type.Object(fields, closed);

/** Tags to add and remove. */
export const TagsBody = Type.Object(
  {
    add: Type.Optional(Type.Array(Tag, { maxItems: 50 })),
    remove: Type.Optional(Type.Array(Tag, { maxItems: 50 })),
  },
  closed,
);

/** A decision in a contact's history. */
export const ConsentEntry = Type.Object({
  purpose: Type.String({ description: '`marketing`, `service`, or `all` for an opt-out and its end' }),
  granted: Type.Boolean(),
  source: Type.String(),
  decidedAtMs: epoch('Decided'),
  recordedAtMs: epoch('Recorded'),
});

/** A contact that became another one. */
export const MergeEntry = Type.Object({
  mergedId: Type.String(),
  cause: Type.String(),
  mergedAtMs: epoch('Merged'),
  snapshot: Type.Record(Type.String(), Type.Unknown(), { description: 'What it was' }),
});
