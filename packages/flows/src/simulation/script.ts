import Type, { type Static } from 'typebox';
import { closed } from '../definitions/schemas/shared.ts';

const Text = Type.String({ minLength: 1, maxLength: 4096 });
const Body = Type.Record(Type.String(), Type.Unknown());

/** The person writes. */
const SayLine = closed({ say: Text });
/** The person taps a button or a list's row, by its id. */
const TapLine = closed({ tap: Type.String({ minLength: 1, maxLength: 256 }) });
/** The person sends something else: a voice message, a picture, a place; or comes from an ad, or answers a campaign. */
const MessageLine = closed({
  message: closed({
    type: Type.String({ minLength: 1, maxLength: 64 }),
    text: Type.Optional(Text),
    replyId: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    media: Type.Optional(
      closed({
        path: Type.String({ minLength: 1, maxLength: 1024 }),
        mimeType: Type.Optional(Type.String({ maxLength: 191 })),
        bytes: Type.Optional(Type.Integer({ minimum: 0 })),
      }),
    ),
    location: Type.Optional(Body),
    referral: Type.Optional(Body),
    campaignId: Type.Optional(Type.String({ minLength: 1, maxLength: 191 })),
    isFirst: Type.Optional(Type.Boolean()),
  }),
});
/** Something happens in the shop, in the merchant's systems, or to the contact. */
const EventLine = closed({
  event: closed({
    kind: Type.Union([Type.Literal('shopify'), Type.Literal('custom'), Type.Literal('contact')]),
    name: Type.String({ minLength: 1, maxLength: 191 }),
    body: Type.Optional(Body),
  }),
});
/** The flow is started by the API, a schedule or another flow, with this input. */
const StartLine = closed({ start: Body });
/** The person of the team who had taken over lets go. */
const ReleaseLine = closed({ release: Type.Literal(true) });
/** Time passes. */
const WaitLine = closed({ waitSeconds: Type.Integer({ minimum: 1, maximum: 366 * 24 * 3600 }) });

/** One thing that happens in a simulated conversation. */
export const ScriptLine = Type.Union([
  SayLine,
  TapLine,
  MessageLine,
  EventLine,
  StartLine,
  ReleaseLine,
  WaitLine,
]);
export type ScriptLine = Static<typeof ScriptLine>;

/** What the outside answers a flow's calls in a simulation; the first that fits a call is taken. */
export const ScriptedAnswer = closed({
  call: Type.Union([
    Type.Literal('http'),
    Type.Literal('shopify'),
    Type.Literal('ai-reply'),
    Type.Literal('ai-classify'),
    Type.Literal('transcribe'),
  ]),
  /** Fields that the call must have: `{"url": "https://…"}`, `{"resource": "order"}`. */
  where: Type.Optional(Body),
  /** As the call gives it: `{status, body}`, `{record}`, `{text}`, `{label}` or `{values}`. */
  value: Type.Optional(Body),
  /** The call fails with this code instead. */
  error: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  /** Only for so many calls; then the next answer that fits. */
  times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
});
export type ScriptedAnswer = Static<typeof ScriptedAnswer>;
