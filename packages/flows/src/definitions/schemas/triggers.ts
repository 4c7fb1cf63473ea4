import Type, { type Static } from 'typebox';
import { Condition, closed, FlowId, Pattern, TimeZone } from './shared.ts';

const words = (maxLength: number, maxItems = 100) =>
  Type.Array(Type.String({ minLength: 1, maxLength }), { minItems: 1, maxItems });

/** Starts the flow when a message says one of the words; case and surrounding blanks do not matter. */
export const KeywordTrigger = closed({
  kind: Type.Literal('keyword'),
  words: words(256),
  match: Type.Optional(
    Type.Union([Type.Literal('exact'), Type.Literal('starts-with'), Type.Literal('contains')]),
  ),
});

/** Starts the flow when a message matches a regular expression (RE2's syntax; case does not matter). */
export const PatternTrigger = closed({ kind: Type.Literal('pattern'), pattern: Pattern });

/** Starts the flow on any message that nothing else takes. */
export const AnyMessageTrigger = closed({ kind: Type.Literal('any-message') });

/** Starts the flow when the person writes for the first time ever. */
export const FirstMessageTrigger = closed({ kind: Type.Literal('first-message') });

/** Starts the flow when a button, a list's row or a WhatsApp flow's reply is chosen, which no run waits for. */
export const ReplyTrigger = closed({
  kind: Type.Literal('reply'),
  /** Any where absent. */
  ids: Type.Optional(words(256)),
  match: Type.Optional(Type.Union([Type.Literal('exact'), Type.Literal('starts-with')])),
});

/** Starts the flow when a message comes from a click on an ad or a post. */
export const ReferralTrigger = closed({
  kind: Type.Literal('referral'),
  /** Of the ads or posts; any where absent. */
  sourceIds: Type.Optional(words(256)),
});

/** Starts the flow when a message answers one of a campaign. */
export const CampaignReplyTrigger = closed({
  kind: Type.Literal('campaign-reply'),
  campaignIds: Type.Optional(words(191)),
});

/** Starts the flow when a tag or an attribute of the contact changes. */
export const ContactChangedTrigger = closed({
  kind: Type.Literal('contact-changed'),
  change: Type.Union([
    Type.Literal('tag-added'),
    Type.Literal('tag-removed'),
    Type.Literal('attribute-changed'),
  ]),
  /** The tags, or the attributes; any where absent. */
  names: Type.Optional(words(64)),
  where: Type.Optional(Condition),
});

/** Starts the flow on Shopify's webhooks of these topics; `where` reads `event.body`. */
export const ShopifyTrigger = closed({
  kind: Type.Literal('shopify'),
  topics: words(128, 50),
  where: Type.Optional(Condition),
});

/** Starts the flow on events of the merchant's own systems. */
export const CustomEventTrigger = closed({
  kind: Type.Literal('custom-event'),
  names: words(191, 50),
  where: Type.Optional(Condition),
});

/** Starts the flow by the clock, for everybody who has a tag, or for one contact. */
export const ScheduleTrigger = closed({
  kind: Type.Literal('schedule'),
  /** Five fields, `0 9 * * MON`. */
  cron: Type.String({ minLength: 9, maxLength: 128 }),
  timeZone: Type.Optional(TimeZone),
  audience: Type.Union([
    closed({ tag: Type.String({ minLength: 1, maxLength: 64 }) }),
    closed({ contactId: FlowId }),
  ]),
  input: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});

/** Lets the API start the flow. */
export const ApiTrigger = closed({ kind: Type.Literal('api') });

/** Starts the flow for a contact when a run of another flow has ended, with its result as input. */
export const FlowTrigger = closed({
  kind: Type.Literal('flow'),
  flowIds: Type.Array(FlowId, { minItems: 1, maxItems: 50 }),
  outcome: Type.Optional(Type.Union([Type.Literal('finished'), Type.Literal('failed'), Type.Literal('any')])),
});

/** Any trigger, told apart by `kind`. */
export const triggersByKind = {
  keyword: KeywordTrigger,
  pattern: PatternTrigger,
  'any-message': AnyMessageTrigger,
  'first-message': FirstMessageTrigger,
  reply: ReplyTrigger,
  referral: ReferralTrigger,
  'campaign-reply': CampaignReplyTrigger,
  'contact-changed': ContactChangedTrigger,
  shopify: ShopifyTrigger,
  'custom-event': CustomEventTrigger,
  schedule: ScheduleTrigger,
  api: ApiTrigger,
  flow: FlowTrigger,
} as const;

export type ScheduleTrigger = Static<typeof ScheduleTrigger>;
