import Type, { type Static } from 'typebox';
import { closed, LongText, Name, OnError, TemplatedJson, Text } from './shared.ts';

/** Sends an email. */
export const SendEmailNode = closed({
  kind: Type.Literal('send-email'),
  /** An address, or several with commas between. */
  to: Type.String({ minLength: 3, maxLength: 2048 }),
  subject: Type.String({ minLength: 1, maxLength: 998 }),
  text: Type.Optional(LongText),
  html: Type.Optional(LongText),
  replyTo: Type.Optional(Type.String({ minLength: 3, maxLength: 320 })),
  ...OnError,
  next: Name,
});

/** Tells the merchant's own endpoints. */
export const WebhookEventNode = closed({
  kind: Type.Literal('webhook-event'),
  type: Type.String({ minLength: 1, maxLength: 128, pattern: '^[a-z0-9_.]+$' }),
  data: Type.Optional(Type.Record(Type.String(), TemplatedJson)),
  ...OnError,
  next: Name,
});

/** Tells the merchant's team. */
export const NotifyTeamNode = closed({
  kind: Type.Literal('notify-team'),
  title: Type.String({ minLength: 1, maxLength: 200 }),
  body: Type.Optional(Text),
  severity: Type.Optional(
    Type.Union([Type.Literal('info'), Type.Literal('warning'), Type.Literal('critical')]),
  ),
  ...OnError,
  next: Name,
});

export type SendEmailNode = Static<typeof SendEmailNode>;
export type WebhookEventNode = Static<typeof WebhookEventNode>;
export type NotifyTeamNode = Static<typeof NotifyTeamNode>;
