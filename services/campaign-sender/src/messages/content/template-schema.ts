import Type from 'typebox';

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const words = Type.Record(Type.String(), Type.Unknown());
const index = Type.Union([Type.Integer({ minimum: 0, maximum: 9 }), Type.String({ pattern: '^[0-9]$' })]);

/** One value of a template. What stands beside `type` is checked by `check-template.ts`, which knows what the type needs. */
export const TemplateParameter = Type.Object({
  type: Type.Enum([
    'text',
    'currency',
    'date_time',
    'image',
    'video',
    'document',
    'location',
    'payload',
    'coupon_code',
    'limited_time_offer',
    'action',
    'product',
  ]),
  parameter_name: Type.Optional(text(128)),
  text: Type.Optional(text(1024)),
  currency: Type.Optional(
    Type.Object({ fallback_value: text(256), code: text(3), amount_1000: Type.Integer() }),
  ),
  date_time: Type.Optional(Type.Object({ fallback_value: text(256) })),
  image: Type.Optional(words),
  video: Type.Optional(words),
  document: Type.Optional(words),
  location: Type.Optional(
    Type.Object({
      latitude: Type.Union([Type.Number(), text(32)]),
      longitude: Type.Union([Type.Number(), text(32)]),
      name: Type.Optional(text(1000)),
      address: Type.Optional(text(1000)),
    }),
  ),
  payload: Type.Optional(text(256)),
  coupon_code: Type.Optional(text(64)),
  limited_time_offer: Type.Optional(Type.Object({ expiration_time_ms: Type.Integer({ minimum: 0 }) })),
  action: Type.Optional(words),
  product: Type.Optional(
    Type.Object({ product_retailer_id: text(256), catalog_id: Type.Optional(text(64)) }),
  ),
});

const plain = {
  type: Type.Enum([
    'header',
    'body',
    'button',
    'carousel',
    'limited_time_offer',
    'order_status',
    'HEADER',
    'BODY',
    'BUTTON',
    'CAROUSEL',
    'LIMITED_TIME_OFFER',
  ]),
  sub_type: Type.Optional(text(64)),
  index: Type.Optional(index),
  parameters: Type.Optional(Type.Array(TemplateParameter, { maxItems: 100 })),
};

/** A filled part of a template. */
export const TemplateComponent = Type.Object({
  ...plain,
  cards: Type.Optional(
    Type.Array(
      Type.Object({
        card_index: Type.Integer({ minimum: 0, maximum: 9 }),
        components: Type.Array(Type.Object(plain), { maxItems: 10 }),
      }),
      { minItems: 1, maxItems: 10 },
    ),
  ),
});

/** `{name, language: {code}, components?}` */
export const TemplateContent = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9_]{1,512}$' }),
    language: Type.Object({
      code: Type.String({ pattern: '^[a-z]{2,3}([_-][A-Za-z]{2,4})?$' }),
      policy: Type.Optional(Type.Literal('deterministic')),
    }),
    components: Type.Optional(Type.Array(TemplateComponent, { maxItems: 20 })),
  },
  { additionalProperties: false },
);
