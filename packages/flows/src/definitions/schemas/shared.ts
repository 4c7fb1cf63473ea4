import Type, { type Static, type TObject, type TProperties } from 'typebox';

/** An object that takes no field beyond these: a typing error must not pass for an option. */
export const closed = <P extends TProperties>(properties: P): TObject<P> =>
  Type.Object(properties, { additionalProperties: false });

/** A node's or variable's name. */
export const Name = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z][A-Za-z0-9_-]*$' });

/** A flow's id. */
export const FlowId = Type.String({ minLength: 1, maxLength: 191, pattern: '^[A-Za-z0-9._-]+$' });

/** A Liquid template. */
export const Text = Type.String({ minLength: 1, maxLength: 4096 });
export const LongText = Type.String({ minLength: 1, maxLength: 16_384 });

/** JSON whose strings, however deep, are Liquid templates. */
export const TemplatedJson = Type.Unknown({ description: 'JSON; every string in it is a Liquid template.' });

/** Where a value is: a variable's name, or a path that begins with `variables`, `contact`, `event`, `input` or `error`. */
export const Path = Type.String({ minLength: 1, maxLength: 256, pattern: '^[A-Za-z][A-Za-z0-9_.-]*$' });

/** A regular expression in RE2's syntax, whose matching takes linear time whatever it is given. */
export const Pattern = Type.String({ minLength: 1, maxLength: 512 });

/** An IANA time zone. */
export const TimeZone = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z][A-Za-z0-9_+/-]*$' });

/** A time of day, `09:30`; `24:00` ends a day. */
export const TimeOfDay = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$' });

export const Weekday = Type.Union([
  Type.Literal('mon'),
  Type.Literal('tue'),
  Type.Literal('wed'),
  Type.Literal('thu'),
  Type.Literal('fri'),
  Type.Literal('sat'),
  Type.Literal('sun'),
]);
export type Weekday = Static<typeof Weekday>;

/** Where a failure of the node leads; without it, the run stops with its reason. */
export const OnError = { onError: Type.Optional(Name) };

const Comparable = Type.Union([Type.String({ maxLength: 1024 }), Type.Number(), Type.Boolean()]);

/** One comparison; texts are compared without regard to case and surrounding blanks. */
export const Comparison = closed({
  /** A variable's name, or a path such as `contact.attributes.plan`, `event.body.total_price`, `input.order`. */
  variable: Path,
  operator: Type.Union([
    Type.Literal('equals'),
    Type.Literal('not-equals'),
    Type.Literal('contains'),
    Type.Literal('starts-with'),
    Type.Literal('ends-with'),
    Type.Literal('matches'),
    Type.Literal('in'),
    Type.Literal('greater-than'),
    Type.Literal('less-than'),
    Type.Literal('at-least'),
    Type.Literal('at-most'),
    Type.Literal('is-set'),
    Type.Literal('is-not-set'),
  ]),
  /** A list for `in`; for `matches` a regular expression. */
  value: Type.Optional(Type.Union([Comparable, Type.Array(Comparable, { minItems: 1, maxItems: 200 })])),
});

/** A comparison, or several of which all or any must hold. */
export const Condition = Type.Union([
  Comparison,
  closed({ all: Type.Array(Comparison, { minItems: 1, maxItems: 20 }) }),
  closed({ any: Type.Array(Comparison, { minItems: 1, maxItems: 20 }) }),
]);

export type Comparison = Static<typeof Comparison>;
export type Condition = Static<typeof Condition>;
