import Type, { type Static } from 'typebox';
import { Condition, closed, Name, OnError, Text, TimeOfDay, TimeZone, Weekday } from './shared.ts';

/** Lets time pass. */
export const WaitNode = closed({
  kind: Type.Literal('wait'),
  seconds: Type.Integer({ minimum: 1, maximum: 90 * 24 * 3600 }),
  next: Name,
});

/**
 * Waits until a moment: the next `time` of day (on one of `weekdays`, where given), or `at`, a template that gives a date and time
 * (ISO 8601). In the zone of `timeZone`, else of the contact, else of the flow, else UTC. A moment that is past waits for nothing.
 */
export const WaitUntilNode = closed({
  kind: Type.Literal('wait-until'),
  at: Type.Optional(Text),
  time: Type.Optional(TimeOfDay),
  weekdays: Type.Optional(Type.Array(Weekday, { minItems: 1, maxItems: 7, uniqueItems: true })),
  timeZone: Type.Optional(TimeZone),
  ...OnError,
  next: Name,
});

/** An event that a run can wait for; any message of the person is one of kind `message`. */
export const AwaitedEvent = closed({
  kind: Type.Union([
    Type.Literal('message'),
    Type.Literal('shopify'),
    Type.Literal('custom'),
    Type.Literal('contact'),
  ]),
  /** The topic, type or change; any where absent. */
  names: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 191 }), { minItems: 1, maxItems: 50 }),
  ),
  /** What must hold of it; `event.body` is its content, `variables` those of the run. */
  where: Type.Optional(Condition),
  next: Name,
});

/** Waits for an event about the contact; which of several it was decides where the run goes. */
export const WaitForEventNode = closed({
  kind: Type.Literal('wait-for-event'),
  events: Type.Array(AwaitedEvent, { minItems: 1, maxItems: 20 }),
  /** The variable that takes the event's content. */
  saveAs: Type.Optional(Name),
  timeoutSeconds: Type.Integer({ minimum: 1, maximum: 90 * 24 * 3600 }),
  onTimeout: Name,
});

const Hours = Type.Array(closed({ from: TimeOfDay, to: TimeOfDay }), { minItems: 1, maxItems: 6 });

/** Goes on at `open` within business hours. Outside of them it goes to `closed`, or waits for the next opening where that is absent. */
export const BusinessHoursNode = closed({
  kind: Type.Literal('business-hours'),
  hours: closed({
    mon: Type.Optional(Hours),
    tue: Type.Optional(Hours),
    wed: Type.Optional(Hours),
    thu: Type.Optional(Hours),
    fri: Type.Optional(Hours),
    sat: Type.Optional(Hours),
    sun: Type.Optional(Hours),
  }),
  /** Days that are closed, `2026-12-25`. */
  holidays: Type.Optional(
    Type.Array(Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' }), { maxItems: 100 }),
  ),
  /** Of the business; the flow's, else UTC, where absent. */
  timeZone: Type.Optional(TimeZone),
  open: Name,
  closed: Type.Optional(Name),
});

export type WaitNode = Static<typeof WaitNode>;
export type WaitUntilNode = Static<typeof WaitUntilNode>;
export type WaitForEventNode = Static<typeof WaitForEventNode>;
export type BusinessHoursNode = Static<typeof BusinessHoursNode>;
