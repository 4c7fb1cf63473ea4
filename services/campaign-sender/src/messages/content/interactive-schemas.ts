import Type, { type TSchema } from 'typebox';

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const url = Type.String({ pattern: '^https?://', maxLength: 2000 });
const words = Type.Record(Type.String(), Type.Unknown());

const BODY = 1024;
const LIST_BODY = 4096;

const Header = Type.Object({
  type: Type.Enum(['text', 'image', 'video', 'document']),
  text: Type.Optional(text(60)),
  image: Type.Optional(words),
  video: Type.Optional(words),
  document: Type.Optional(words),
});
const TextHeader = Type.Object({ type: Type.Literal('text'), text: text(60) });

/** What all kinds of interactive message have in common. */
function kind(
  type: string,
  action: TSchema,
  { body = BODY, header = Header as TSchema, isBodyOptional = false } = {},
) {
  const Body = Type.Object({ text: text(body) });
  return Type.Object({
    type: Type.Literal(type),
    header: Type.Optional(header),
    body: isBodyOptional ? Type.Optional(Body) : Body,
    footer: Type.Optional(Type.Object({ text: text(60) })),
    action,
  });
}

const named = (name: string, parameters?: TSchema) =>
  Type.Object({ name: Type.Literal(name), ...(parameters ? { parameters } : {}) });

const ReplyButton = Type.Object({
  type: Type.Literal('reply'),
  reply: Type.Object({ id: text(256), title: text(20) }),
});
const Row = Type.Object({
  id: text(200),
  title: text(24),
  description: Type.Optional(Type.String({ maxLength: 72 })),
});
const ProductItems = Type.Array(Type.Object({ product_retailer_id: text(256) }), {
  minItems: 1,
  maxItems: 30,
});

/** Schema of each kind of interactive message, by its `type`. */
export const interactiveSchemas: Readonly<Record<string, TSchema>> = {
  button: kind('button', Type.Object({ buttons: Type.Array(ReplyButton, { minItems: 1, maxItems: 3 }) })),
  list: kind(
    'list',
    Type.Object({
      button: text(20),
      sections: Type.Array(
        Type.Object({
          title: Type.Optional(text(24)),
          rows: Type.Array(Row, { minItems: 1, maxItems: 10 }),
        }),
        { minItems: 1, maxItems: 10 },
      ),
    }),
    { body: LIST_BODY, header: TextHeader },
  ),
  cta_url: kind('cta_url', named('cta_url', Type.Object({ display_text: text(20), url }))),
  flow: kind(
    'flow',
    named(
      'flow',
      Type.Object({
        flow_message_version: Type.Enum(['3']),
        flow_id: Type.Optional(text(64)),
        flow_name: Type.Optional(text(200)),
        flow_cta: text(30),
        flow_token: Type.Optional(text(1000)),
        mode: Type.Optional(Type.Enum(['draft', 'published'])),
        flow_action: Type.Optional(Type.Enum(['navigate', 'data_exchange'])),
        flow_action_payload: Type.Optional(Type.Object({ screen: text(200), data: Type.Optional(words) })),
      }),
    ),
  ),
  location_request_message: kind('location_request_message', named('send_location'), { header: TextHeader }),
  request_contact_info: kind('request_contact_info', named('request_contact_info'), { isBodyOptional: true }),
  product: kind('product', Type.Object({ catalog_id: text(64), product_retailer_id: text(256) }), {
    isBodyOptional: true,
  }),
  product_list: kind(
    'product_list',
    Type.Object({
      catalog_id: text(64),
      sections: Type.Array(Type.Object({ title: text(24), product_items: ProductItems }), {
        minItems: 1,
        maxItems: 10,
      }),
    }),
    { header: TextHeader },
  ),
  catalog_message: kind(
    'catalog_message',
    Type.Object({ name: Type.Literal('catalog_message'), parameters: Type.Optional(words) }),
  ),
  address_message: kind('address_message', named('address_message', words)),
  call_permission_request: kind('call_permission_request', named('call_permission_request')),
  voice_call: kind(
    'voice_call',
    Type.Object({ name: Type.Literal('voice_call'), parameters: Type.Optional(words) }),
  ),
  carousel: kind(
    'carousel',
    Type.Object({
      cards: Type.Array(
        Type.Object({
          card_index: Type.Integer({ minimum: 0, maximum: 9 }),
          type: Type.Enum(['cta_url', 'button', 'product']),
          header: Type.Optional(Header),
          body: Type.Optional(Type.Object({ text: text(160) })),
          action: words,
        }),
        { minItems: 2, maxItems: 10 },
      ),
    }),
  ),
};
