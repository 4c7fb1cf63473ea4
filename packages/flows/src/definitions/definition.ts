import Type, { type Static } from 'typebox';

/** A node's or variable's name. */
const Name = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z][A-Za-z0-9_-]*$' });
const Text = Type.String({ minLength: 1, maxLength: 4096 });

/** A reply button; the Cloud API takes at most three of them, with titles of at most 20 characters. */
export const Button = Type.Object(
  { id: Type.String({ minLength: 1, maxLength: 256 }), title: Type.String({ minLength: 1, maxLength: 20 }) },
  { additionalProperties: false },
);

/** Sends a text, with reply buttons if there are any, and goes on. */
export const SendNode = Type.Object(
  {
    kind: Type.Literal('send'),
    text: Text,
    buttons: Type.Optional(Type.Array(Button, { minItems: 1, maxItems: 3 })),
    next: Name,
  },
  { additionalProperties: false },
);

/** Sends a question and waits for the answer. */
export const AskNode = Type.Object(
  {
    kind: Type.Literal('ask'),
    text: Text,
    buttons: Type.Optional(Type.Array(Button, { minItems: 1, maxItems: 3 })),
    /** The variable that takes the answer. */
    saveAs: Name,
    /** What counts as an answer: any text, a number, an email address, or one of the buttons. */
    expect: Type.Optional(
      Type.Union([
        Type.Literal('text'),
        Type.Literal('number'),
        Type.Literal('email'),
        Type.Literal('button'),
      ]),
    ),
    /** How often an answer that does not count is answered with `retryText`, before `onInvalid`. */
    retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 10 })),
    retryText: Type.Optional(Text),
    onInvalid: Type.Optional(Name),
    timeoutSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 30 * 24 * 3600 })),
    onTimeout: Type.Optional(Name),
    next: Name,
  },
  { additionalProperties: false },
);

/** One comparison; texts are compared without regard to case and surrounding blanks. */
export const Condition = Type.Object(
  {
    variable: Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z][A-Za-z0-9_.-]*$' }),
    operator: Type.Union([
      Type.Literal('equals'),
      Type.Literal('contains'),
      Type.Literal('starts-with'),
      Type.Literal('greater-than'),
      Type.Literal('less-than'),
      Type.Literal('is-set'),
    ]),
    value: Type.Optional(Type.Union([Type.String({ maxLength: 1024 }), Type.Number(), Type.Boolean()])),
  },
  { additionalProperties: false },
);

/** Goes on at the first case whose condition holds. */
export const BranchNode = Type.Object(
  {
    kind: Type.Literal('branch'),
    cases: Type.Array(Type.Object({ when: Condition, next: Name }, { additionalProperties: false }), {
      minItems: 1,
      maxItems: 50,
    }),
    otherwise: Name,
  },
  { additionalProperties: false },
);

/** Gives a variable a value. */
export const SetVariableNode = Type.Object(
  { kind: Type.Literal('set-variable'), name: Name, value: Type.String({ maxLength: 4096 }), next: Name },
  { additionalProperties: false },
);

/** Tells campaign-sender what was learned about the person. */
export const SetAttributeNode = Type.Object(
  { kind: Type.Literal('set-attribute'), name: Name, value: Type.String({ maxLength: 4096 }), next: Name },
  { additionalProperties: false },
);

/** Adds and removes the person's tags. */
export const TagNode = Type.Object(
  {
    kind: Type.Literal('tag'),
    add: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 20 })),
    remove: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 20 })),
    next: Name,
  },
  { additionalProperties: false },
);

/** Lets time pass. */
export const WaitNode = Type.Object(
  { kind: Type.Literal('wait'), seconds: Type.Integer({ minimum: 1, maximum: 90 * 24 * 3600 }), next: Name },
  { additionalProperties: false },
);

/** The run is finished. */
export const EndNode = Type.Object({ kind: Type.Literal('end') }, { additionalProperties: false });

/** Any node, told apart by `kind`. */
export const FlowNode = Type.Union([
  SendNode,
  AskNode,
  BranchNode,
  SetVariableNode,
  SetAttributeNode,
  TagNode,
  WaitNode,
  EndNode,
]);

/** Starts the flow when a message says one of the words; case and surrounding blanks do not matter. */
export const KeywordTrigger = Type.Object(
  {
    kind: Type.Literal('keyword'),
    words: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { minItems: 1, maxItems: 100 }),
    match: Type.Optional(
      Type.Union([Type.Literal('exact'), Type.Literal('starts-with'), Type.Literal('contains')]),
    ),
  },
  { additionalProperties: false },
);

/** Starts the flow on any message that nothing else takes. */
export const AnyMessageTrigger = Type.Object(
  { kind: Type.Literal('any-message') },
  { additionalProperties: false },
);

/** A flow as it is stored, exported and kept in git. */
export const FlowDefinition = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128 }),
    description: Type.Optional(Type.String({ maxLength: 1024 })),
    /** Of several flows whose triggers match, the one with the highest priority starts; the default is 0. */
    priority: Type.Optional(Type.Integer({ minimum: -1000, maximum: 1000 })),
    triggers: Type.Array(Type.Union([KeywordTrigger, AnyMessageTrigger]), { maxItems: 20 }),
    start: Name,
    nodes: Type.Record(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' }), FlowNode),
  },
  { additionalProperties: false },
);

export type FlowDefinition = Static<typeof FlowDefinition>;
export type FlowNode = Static<typeof FlowNode>;
export type Condition = Static<typeof Condition>;
export type Button = Static<typeof Button>;

/** The nodes that a node can lead to. */
export function successorsOf(node: FlowNode): string[] {
  switch (node.kind) {
    case 'end':
      return [];
    case 'branch':
      return [...node.cases.map((each) => each.next), node.otherwise];
    case 'ask':
      return [node.next, node.onInvalid, node.onTimeout].filter((next) => next !== undefined);
    default:
      return [node.next];
  }
}

/** Whether a run stops at this node until something comes from outside. */
export function waits(node: FlowNode): boolean {
  return node.kind === 'ask' || node.kind === 'wait';
}
