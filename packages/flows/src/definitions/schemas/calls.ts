import Type, { type Static } from 'typebox';
import { closed, LongText, Name, OnError, Path, TemplatedJson, Text } from './shared.ts';

/** How long the run waits for the answer before it takes its error branch. */
const timeout = (most: number) => Type.Optional(Type.Integer({ minimum: 1, maximum: most }));

const Model = Type.Optional(Type.String({ minLength: 1, maxLength: 191 }));

/** Asks an HTTP endpoint. An answer that is not 2xx is an error, unless its status is in `acceptStatus`. */
export const HttpRequestNode = closed({
  kind: Type.Literal('http-request'),
  method: Type.Optional(
    Type.Union([
      Type.Literal('GET'),
      Type.Literal('POST'),
      Type.Literal('PUT'),
      Type.Literal('PATCH'),
      Type.Literal('DELETE'),
    ]),
  ),
  url: Text,
  headers: Type.Optional(Type.Record(Type.String({ pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$" }), Text)),
  /** A body as it is, or JSON. */
  body: Type.Optional(LongText),
  json: Type.Optional(TemplatedJson),
  acceptStatus: Type.Optional(Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), { maxItems: 20 })),
  timeoutSeconds: timeout(60),
  /** The variable that takes `{status, body}`. */
  saveAs: Type.Optional(Name),
  /** Variables by the path of their value in the answer's body: `{"total": "order.total"}`. */
  map: Type.Optional(Type.Record(Name, Path)),
  ...OnError,
  next: Name,
});

/**
 * Has a model reply, from the conversation so far, and sends the reply. When the model fails, `fallbackText` is sent instead, or the
 * run goes to `onError`: one of them must be there, since a person who asked must not be met with silence.
 */
export const AiReplyNode = closed({
  kind: Type.Literal('ai-reply'),
  instructions: Type.Optional(LongText),
  model: Model,
  /** How much of the conversation the model is shown, in tokens (estimated); 2000 by default. */
  historyTokens: Type.Optional(Type.Integer({ minimum: 16, maximum: 32_000 })),
  maxTokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 16_000 })),
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
  /** `false`: the reply is only kept. */
  send: Type.Optional(Type.Boolean()),
  saveAs: Type.Optional(Name),
  fallbackText: Type.Optional(Text),
  timeoutSeconds: timeout(300),
  ...OnError,
  next: Name,
});

/** Has a model choose a label for a text, by default what the person said last. No label, or a failure, leads to `otherwise`. */
export const AiClassifyNode = closed({
  kind: Type.Literal('ai-classify'),
  text: Type.Optional(Text),
  labels: Type.Array(
    closed({
      label: Type.String({ minLength: 1, maxLength: 64 }),
      description: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
      next: Name,
    }),
    { minItems: 2, maxItems: 30 },
  ),
  instructions: Type.Optional(LongText),
  model: Model,
  saveAs: Type.Optional(Name),
  timeoutSeconds: timeout(300),
  otherwise: Name,
  ...OnError,
});

/** Has a model read values out of a text, by a JSON Schema, which its answer is checked against. */
export const AiExtractNode = closed({
  kind: Type.Literal('ai-extract'),
  text: Type.Optional(Text),
  schema: Type.Record(Type.String(), Type.Unknown()),
  instructions: Type.Optional(LongText),
  model: Model,
  saveAs: Name,
  timeoutSeconds: timeout(300),
  onError: Name,
  next: Name,
});

/** Turns a voice message into text: by default the one that came last. */
export const TranscribeNode = closed({
  kind: Type.Literal('transcribe'),
  /** Where the stored file is: a variable of an `ask` that expects media, or `event.media`. */
  media: Type.Optional(Path),
  language: Type.Optional(Type.String({ minLength: 2, maxLength: 16 })),
  model: Model,
  saveAs: Name,
  timeoutSeconds: timeout(300),
  onError: Name,
  next: Name,
});

/** Looks up an order, a customer or a product in the merchant's shop. */
export const ShopifyLookupNode = closed({
  kind: Type.Literal('shopify-lookup'),
  resource: Type.Union([Type.Literal('order'), Type.Literal('customer'), Type.Literal('product')]),
  by: Type.Union([
    Type.Literal('id'),
    Type.Literal('name'),
    Type.Literal('email'),
    Type.Literal('phone'),
    Type.Literal('query'),
  ]),
  value: Type.String({ minLength: 1, maxLength: 1024 }),
  shopDomain: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  saveAs: Name,
  onNotFound: Type.Optional(Name),
  timeoutSeconds: timeout(300),
  ...OnError,
  next: Name,
});

export type HttpRequestNode = Static<typeof HttpRequestNode>;
export type AiReplyNode = Static<typeof AiReplyNode>;
export type AiClassifyNode = Static<typeof AiClassifyNode>;
export type AiExtractNode = Static<typeof AiExtractNode>;
export type TranscribeNode = Static<typeof TranscribeNode>;
export type ShopifyLookupNode = Static<typeof ShopifyLookupNode>;
