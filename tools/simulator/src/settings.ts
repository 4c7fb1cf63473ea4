import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';

const closed = { additionalProperties: false };
const delay = (description: string) => Type.Number({ minimum: 0, description });
const rate = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });

const statuses = {
  enabled: Type.Boolean({ description: 'Send status webhooks at all.' }),
  sentDelayMs: delay('From acceptance to `sent`.'),
  deliveredDelayMs: delay('From acceptance to `delivered`.'),
  readDelayMs: delay('From acceptance to `read`.'),
  deliveredRate: rate('Share of messages that are delivered.'),
  readRate: rate('Share of delivered messages that are read.'),
  jitter: rate('Every delay is stretched by up to this share of itself.'),
  shuffle: Type.Boolean({ description: 'Statuses of one message arrive in any order.' }),
  duplicateRate: rate('Share of statuses sent twice.'),
  lossRate: rate('Share of single statuses that never arrive.'),
  withholdRate: rate('Share of messages none of whose statuses arrive.'),
  includeConversation: Type.Boolean({ description: 'Add `conversation`, as before v24.0.' }),
};

const webhooks = {
  url: Type.String({ description: 'Where webhooks are posted.' }),
  maxUpdatesPerPost: Type.Integer({ minimum: 1, maximum: 1000, description: 'Updates of one POST.' }),
  flushMs: delay('How long an update waits for others to share its POST.'),
  concurrency: Type.Integer({ minimum: 1, maximum: 64, description: 'POSTs in flight.' }),
  timeoutMs: Type.Number({ minimum: 1, description: 'An answer later than this counts as a failure.' }),
  retryBaseMs: delay('Pause after the immediate retry; it doubles from there.'),
  retryMaxMs: delay('Longest pause between retries.'),
  retryForMs: delay('A POST older than this is dropped.'),
  maxPendingUpdates: Type.Integer({ minimum: 1, description: 'Above this the oldest updates are dropped.' }),
  paused: Type.Boolean({ description: 'Hold every webhook back until this is false again.' }),
};

const limits = {
  throughput: Type.Boolean({ description: 'Refuse with 130429 above the rate of a number.' }),
  pair: Type.Boolean({ description: 'Refuse with 131056 above the rate of one pair.' }),
  pairIntervalMs: delay('One message per this long to one person.'),
  pairBurst: Type.Integer({ minimum: 1, description: 'Messages that one interval may borrow.' }),
};

const window = {
  mode: Type.Union([Type.Literal('reject'), Type.Literal('fail'), Type.Literal('off')], {
    description:
      'Free-form message outside the window: refused with 131047, accepted and failed, or let through.',
  }),
  durationMs: delay('How long the window stays open after an inbound message.'),
};

const templates = {
  review: Type.Union([Type.Literal('approve'), Type.Literal('reject'), Type.Literal('hold')], {
    description: 'What becomes of a created template.',
  }),
  reviewDelayMs: delay('From creation to the outcome of the review.'),
};

const media = {
  urlLifetimeMs: delay('How long the URL of a media object works.'),
};

const repeats = {
  opaquePattern: Type.String({
    description:
      'Reads biz_opaque_callback_data; its group `messageId` names the message, `attempt` the attempt.',
  }),
};

const sections = { statuses, webhooks, limits, window, templates, media, repeats };

/** Everything about the simulator that can change while it runs. */
export const Settings = Type.Object(
  {
    statuses: Type.Object(sections.statuses, closed),
    webhooks: Type.Object(sections.webhooks, closed),
    limits: Type.Object(sections.limits, closed),
    window: Type.Object(sections.window, closed),
    templates: Type.Object(sections.templates, closed),
    media: Type.Object(sections.media, closed),
    repeats: Type.Object(sections.repeats, closed),
  },
  closed,
);
export type Settings = Static<typeof Settings>;

/** A change of {@link Settings}: only what it names. */
export const SettingsPatch = Type.Partial(
  Type.Object({
    statuses: Type.Partial(Type.Object(sections.statuses), closed),
    webhooks: Type.Partial(Type.Object(sections.webhooks), closed),
    limits: Type.Partial(Type.Object(sections.limits), closed),
    window: Type.Partial(Type.Object(sections.window), closed),
    templates: Type.Partial(Type.Object(sections.templates), closed),
    media: Type.Partial(Type.Object(sections.media), closed),
    repeats: Type.Partial(Type.Object(sections.repeats), closed),
  }),
  closed,
);
export type SettingsPatch = Static<typeof SettingsPatch>;

const validator = Compile(Settings);

/** What holds when nothing is set: the behaviour of the real thing on a fresh number, with quick statuses. */
export const defaultSettings: Settings = {
  statuses: {
    enabled: true,
    sentDelayMs: 50,
    deliveredDelayMs: 400,
    readDelayMs: 1500,
    deliveredRate: 1,
    readRate: 1,
    jitter: 0.2,
    shuffle: false,
    duplicateRate: 0,
    lossRate: 0,
    withholdRate: 0,
    includeConversation: false,
  },
  webhooks: {
    url: 'http://127.0.0.1:3000/webhooks/whatsapp',
    maxUpdatesPerPost: 100,
    flushMs: 10,
    concurrency: 8,
    timeoutMs: 10_000,
    retryBaseMs: 1000,
    retryMaxMs: 60_000,
    retryForMs: 7 * 24 * 60 * 60 * 1000,
    maxPendingUpdates: 200_000,
    paused: false,
  },
  limits: { throughput: true, pair: true, pairIntervalMs: 6000, pairBurst: 45 },
  window: { mode: 'reject', durationMs: 24 * 60 * 60 * 1000 },
  templates: { review: 'approve', reviewDelayMs: 1000 },
  media: { urlLifetimeMs: 5 * 60 * 1000 },
  repeats: { opaquePattern: '^(?<messageId>.+):(?<attempt>\\d+)$' },
};

/** Says in words which setting is wrong and how: `.limits.speed is not a setting`. */
export function describeProblem({
  instancePath,
  message,
}: {
  instancePath: string;
  message: string;
}): string {
  return `${instancePath.replaceAll('/', '.')} ${message === 'schema is false' ? 'is not a setting' : message}`;
}

/**
 * Applies a change.
 *
 * @returns the new settings; the given ones stay as they are.
 * @throws Error in one line when the outcome is not valid settings.
 */
export function mergeSettings(settings: Settings, patch: SettingsPatch): Settings {
  const merged: Record<string, unknown> = { ...settings };
  for (const [name, section] of Object.entries(patch)) {
    merged[name] = { ...(merged[name] as object | undefined), ...section };
  }
  const [problem] = validator.Errors(merged);
  if (problem) throw new Error(`settings${describeProblem(problem)}`);
  const outcome = merged as Settings;
  let url: URL;
  try {
    new RegExp(outcome.repeats.opaquePattern);
    url = new URL(outcome.webhooks.url);
  } catch (error) {
    throw new Error(`settings are not valid: ${(error as Error).message}`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error('settings.webhooks.url must be http or https');
  return outcome;
}
