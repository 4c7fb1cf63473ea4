import Type from 'typebox';

/** An id of ours: letters, digits, `-`, `_` and `.`; fits an indexed column on both databases. */
export const Id = Type.String({ minLength: 1, maxLength: 191, pattern: '^[A-Za-z0-9._-]+$' });

/** Milliseconds since 1970. */
export const Epoch = Type.Integer({ minimum: 0 });

/** An object whose inside belongs to the provider or the merchant. */
export const ProviderObject = Type.Record(Type.String(), Type.Unknown());

/** A stored file. */
export const Reference = Type.Object({
  path: Type.String({ minLength: 1 }),
  mimeType: Type.Optional(Type.String()),
  bytes: Type.Optional(Type.Integer({ minimum: 0 })),
});

/** The request that a job came from, where it matters beyond logs. */
export const CorrelatedEvent = { requestedBy: Type.Optional(Type.String()) };

/** What a person is known by: `phone` (E.164), `user_id`, `email`, `shopify_customer_id` and the like. */
export const Identifiers = Type.Array(
  Type.Object({ kind: Type.String(), value: Type.String({ minLength: 1, maxLength: 320 }) }),
  { minItems: 1, maxItems: 50 },
);

/** Who has a conversation: while it is a person, flows rest. */
export const Handler = Type.Union([Type.Literal('person'), Type.Literal('automation')]);
