import Type, { type Static } from 'typebox';
import { closed, Name, OnError } from './shared.ts';

/** Tells campaign-sender what was learned about the person. */
export const SetAttributeNode = closed({
  kind: Type.Literal('set-attribute'),
  name: Name,
  value: Type.String({ maxLength: 4096 }),
  type: Type.Optional(Type.Union([Type.Literal('text'), Type.Literal('number'), Type.Literal('boolean')])),
  ...OnError,
  next: Name,
});

const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 20 });

/** Adds and removes the person's tags. */
export const TagNode = closed({
  kind: Type.Literal('tag'),
  add: Type.Optional(Tags),
  remove: Type.Optional(Tags),
  next: Name,
});

/** Records that the person agrees to messages for a purpose, or no longer does. */
export const SetConsentNode = closed({
  kind: Type.Literal('set-consent'),
  purpose: Type.Union([Type.Literal('marketing'), Type.Literal('service')]),
  granted: Type.Boolean(),
  next: Name,
});

/**
 * Hands the conversation over to a person: automation rests for the contact until it is released, or for `timeoutSeconds` at most. The
 * run then goes on at `next` (at `onTimeout`, when the time was up); without `next` it is finished at once.
 */
export const HandOverNode = closed({
  kind: Type.Literal('hand-over'),
  reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
  timeoutSeconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 30 * 24 * 3600 })),
  onTimeout: Type.Optional(Name),
  next: Type.Optional(Name),
});

export type SetAttributeNode = Static<typeof SetAttributeNode>;
export type TagNode = Static<typeof TagNode>;
export type SetConsentNode = Static<typeof SetConsentNode>;
export type HandOverNode = Static<typeof HandOverNode>;
