import Type, { type Static } from 'typebox';
import { Condition, closed, FlowId, Name, OnError, Path, TemplatedJson } from './shared.ts';

/** Goes on at the first case whose condition holds. */
export const BranchNode = closed({
  kind: Type.Literal('branch'),
  cases: Type.Array(closed({ when: Condition, next: Name }), { minItems: 1, maxItems: 50 }),
  otherwise: Name,
});

/** Goes one of several ways by chance, in proportion to the weights; a replay goes the same way. */
export const RandomSplitNode = closed({
  kind: Type.Literal('random-split'),
  branches: Type.Array(closed({ weight: Type.Integer({ minimum: 1, maximum: 1_000_000 }), next: Name }), {
    minItems: 2,
    maxItems: 20,
  }),
});

/** What a text is turned into before it is kept. */
export const ValueType = Type.Union([
  Type.Literal('text'),
  Type.Literal('number'),
  Type.Literal('boolean'),
  Type.Literal('json'),
]);

/** Gives a variable a value: a text by default; what can't be turned into the `type` is an error. */
export const SetVariableNode = closed({
  kind: Type.Literal('set-variable'),
  name: Name,
  value: Type.String({ maxLength: 4096 }),
  type: Type.Optional(ValueType),
  ...OnError,
  next: Name,
});

/**
 * Goes to `body` once for each item of a list (`over`), or `times` times, and then to `next`; the body leads back here. Never more
 * often than `maxTimes`.
 */
export const LoopNode = closed({
  kind: Type.Literal('loop'),
  over: Type.Optional(Path),
  times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  /** Beyond it, items are left out; 100 by default. */
  maxTimes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  /** The variable that takes the item, or the number of the turn. */
  as: Type.Optional(Name),
  body: Name,
  next: Name,
});

/** Runs another flow within this run, on the version published at that moment, and comes back with what its end gives. */
export const SubFlowNode = closed({
  kind: Type.Literal('sub-flow'),
  flowId: FlowId,
  /** Its inputs; every string is a template. */
  input: Type.Optional(Type.Record(Name, TemplatedJson)),
  saveAs: Type.Optional(Name),
  ...OnError,
  next: Name,
});

/** The run is finished, or comes back from a sub-flow with this result. */
export const EndNode = closed({
  kind: Type.Literal('end'),
  result: Type.Optional(Type.Record(Name, TemplatedJson)),
});

/** What a flow can be given when it starts. */
export const FlowInput = closed({
  type: Type.Union([
    Type.Literal('text'),
    Type.Literal('number'),
    Type.Literal('boolean'),
    Type.Literal('list'),
    Type.Literal('object'),
  ]),
  required: Type.Optional(Type.Boolean()),
  default: Type.Optional(Type.Unknown()),
  description: Type.Optional(Type.String({ maxLength: 1024 })),
});

export type BranchNode = Static<typeof BranchNode>;
export type RandomSplitNode = Static<typeof RandomSplitNode>;
export type SetVariableNode = Static<typeof SetVariableNode>;
export type LoopNode = Static<typeof LoopNode>;
export type SubFlowNode = Static<typeof SubFlowNode>;
export type EndNode = Static<typeof EndNode>;
export type FlowInput = Static<typeof FlowInput>;
