import Type, { type Static } from 'typebox';
import { closed } from '../definitions/schemas/shared.ts';
import { ScriptedAnswer, ScriptLine } from '../simulation/script.ts';

const Text = Type.String({ minLength: 1, maxLength: 4096 });

/** The next message of the flow: its whole text, or the text and the titles of its buttons or rows, or a part of the text. */
const ExpectLine = closed({
  expect: Type.Union([
    Text,
    closed({
      text: Type.Optional(Text),
      contains: Type.Optional(Text),
      buttons: Type.Optional(Type.Array(Type.String({ maxLength: 24 }), { maxItems: 10 })),
    }),
  ]),
});

/** One conversation, and what must come of it. */
export const FlowTest = closed({
  name: Type.String({ minLength: 1, maxLength: 256 }),
  /** What is known of the person. */
  contact: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  /** When it begins, ISO 8601; a Monday morning where absent. */
  at: Type.Optional(Type.String({ minLength: 10, maxLength: 40 })),
  /** What chance is drawn from. */
  seed: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  answers: Type.Optional(Type.Array(ScriptedAnswer, { maxItems: 200 })),
  /** What happens, and after each thing every message of the flow, in order: one that is not expected is a failure. */
  conversation: Type.Array(Type.Union([ScriptLine, ExpectLine]), { minItems: 1, maxItems: 500 }),
  /** How the last run stands in the end. */
  status: Type.Optional(
    Type.Union([
      Type.Literal('waiting'),
      Type.Literal('finished'),
      Type.Literal('failed'),
      Type.Literal('cancelled'),
      Type.Literal('not-started'),
    ]),
  ),
  /** Values that variables must have; of objects, the fields named. */
  variables: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  /** What must have been told or asked besides, each by the fields that matter: `{"kind": "tag", "add": ["vip"]}`. */
  effects: Type.Optional(Type.Array(Type.Record(Type.String(), Type.Unknown()), { maxItems: 100 })),
});
export type FlowTest = Static<typeof FlowTest>;

/** A file of flow tests, as it is kept in git beside the flow. */
export const FlowTestFile = closed({
  /** The flow's definition: a file beside this one, or the definition itself. */
  flow: Type.Union([
    Type.String({ minLength: 1, maxLength: 1024 }),
    Type.Record(Type.String(), Type.Unknown()),
  ]),
  /** Flows that it goes into, by id: files or definitions. */
  flows: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Union([
        Type.String({ minLength: 1, maxLength: 1024 }),
        Type.Record(Type.String(), Type.Unknown()),
      ]),
    ),
  ),
  tests: Type.Array(FlowTest, { minItems: 1, maxItems: 500 }),
});
export type FlowTestFile = Static<typeof FlowTestFile>;
