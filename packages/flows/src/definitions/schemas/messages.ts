import Type, { type Static } from 'typebox';
import { closed, Name, OnError, Pattern, Text } from './shared.ts';

const ReplyId = Type.String({ minLength: 1, maxLength: 256 });

/**
 * A reply button; the Cloud API takes at most three of them, with titles of at most 20 characters. In an `ask` node, `next` is where
 * the choice leads.
 */
export const Button = closed({
  id: ReplyId,
  title: Type.String({ minLength: 1, maxLength: 20 }),
  next: Type.Optional(Name),
});

/** A row of a list; ten of them at most, in all sections. */
export const ListRow = closed({
  id: ReplyId,
  title: Type.String({ minLength: 1, maxLength: 24 }),
  description: Type.Optional(Type.String({ minLength: 1, maxLength: 72 })),
  next: Type.Optional(Name),
});

/** A list to choose from, behind a button. */
export const List = closed({
  button: Type.String({ minLength: 1, maxLength: 20 }),
  sections: Type.Array(
    closed({
      title: Type.Optional(Type.String({ minLength: 1, maxLength: 24 })),
      rows: Type.Array(ListRow, { minItems: 1, maxItems: 10 }),
    }),
    { minItems: 1, maxItems: 10 },
  ),
});

/** A message of any other kind, as the Cloud API describes it; every string in `content` is a template. */
export const Message = closed({
  type: Type.Union([
    Type.Literal('image'),
    Type.Literal('audio'),
    Type.Literal('video'),
    Type.Literal('document'),
    Type.Literal('sticker'),
    Type.Literal('location'),
    Type.Literal('contacts'),
    Type.Literal('reaction'),
    Type.Literal('interactive'),
    Type.Literal('template'),
  ]),
  content: Type.Record(Type.String(), Type.Unknown()),
});

/** The template that goes out instead when the 24-hour window is closed. */
export const TemplateFallback = closed({
  name: Type.String({ minLength: 1, maxLength: 512, pattern: '^[a-z0-9_]+$' }),
  language: closed({ code: Type.String({ minLength: 2, maxLength: 16 }) }),
  /** As the Cloud API wants them; every string is a template. */
  components: Type.Optional(Type.Array(Type.Record(Type.String(), Type.Unknown()), { maxItems: 20 })),
});

const content = {
  text: Type.Optional(Text),
  header: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })),
  footer: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })),
  buttons: Type.Optional(Type.Array(Button, { minItems: 1, maxItems: 3 })),
  list: Type.Optional(List),
  message: Type.Optional(Message),
  templateFallback: Type.Optional(TemplateFallback),
};

/** Sends a text, with reply buttons or a list if there are any, or a `message` of another kind, and goes on. */
export const SendNode = closed({ kind: Type.Literal('send'), ...content, ...OnError, next: Name });

/** Sends a question and waits for the answer. */
export const AskNode = closed({
  kind: Type.Literal('ask'),
  ...content,
  /** The variable that takes the answer. */
  saveAs: Name,
  /** What counts as an answer; any text by default. `media` and `location` keep an object. */
  expect: Type.Optional(
    Type.Union([
      Type.Literal('text'),
      Type.Literal('number'),
      Type.Literal('email'),
      Type.Literal('phone'),
      Type.Literal('date'),
      Type.Literal('yes-no'),
      Type.Literal('button'),
      Type.Literal('media'),
      Type.Literal('location'),
      Type.Literal('pattern'),
    ]),
  ),
  /** For `expect: "pattern"`: what the whole text must match. */
  pattern: Type.Optional(Pattern),
  /** For `expect: "number"`. */
  minimum: Type.Optional(Type.Number()),
  maximum: Type.Optional(Type.Number()),
  /** How often an answer that does not count is answered with `retryText`, before `onInvalid`. */
  retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 10 })),
  retryText: Type.Optional(Text),
  onInvalid: Type.Optional(Name),
  timeoutSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 30 * 24 * 3600 })),
  onTimeout: Type.Optional(Name),
  /** What is said within so many seconds of each other is one answer. */
  gatherSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 120 })),
  ...OnError,
  next: Name,
});

export type Button = Static<typeof Button>;
export type List = Static<typeof List>;
export type SendNode = Static<typeof SendNode>;
export type AskNode = Static<typeof AskNode>;
