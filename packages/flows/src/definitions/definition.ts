import Type, { type Static, type TSchema } from 'typebox';
import {
  AiClassifyNode,
  AiExtractNode,
  AiReplyNode,
  HttpRequestNode,
  ShopifyLookupNode,
  TranscribeNode,
} from './schemas/calls.ts';
import {
  BranchNode,
  EndNode,
  FlowInput,
  LoopNode,
  RandomSplitNode,
  SetVariableNode,
  SubFlowNode,
} from './schemas/logic.ts';
import { AskNode, SendNode } from './schemas/messages.ts';
import { NotifyTeamNode, SendEmailNode, WebhookEventNode } from './schemas/notices.ts';
import { HandOverNode, SetAttributeNode, SetConsentNode, TagNode } from './schemas/people.ts';
import { closed, Name, TimeZone } from './schemas/shared.ts';
import { triggersByKind } from './schemas/triggers.ts';
import { BusinessHoursNode, WaitForEventNode, WaitNode, WaitUntilNode } from './schemas/waits.ts';

export type { Button, List } from './schemas/messages.ts';
export type { Comparison, Condition, Weekday } from './schemas/shared.ts';
export type { ScheduleTrigger } from './schemas/triggers.ts';
export { triggersByKind };

/** The schema of every node, by its kind. */
export const nodesByKind = {
  send: SendNode,
  ask: AskNode,
  wait: WaitNode,
  'wait-until': WaitUntilNode,
  'wait-for-event': WaitForEventNode,
  'business-hours': BusinessHoursNode,
  branch: BranchNode,
  'random-split': RandomSplitNode,
  'set-variable': SetVariableNode,
  'set-attribute': SetAttributeNode,
  tag: TagNode,
  'set-consent': SetConsentNode,
  'http-request': HttpRequestNode,
  'ai-reply': AiReplyNode,
  'ai-classify': AiClassifyNode,
  'ai-extract': AiExtractNode,
  transcribe: TranscribeNode,
  'shopify-lookup': ShopifyLookupNode,
  'send-email': SendEmailNode,
  'webhook-event': WebhookEventNode,
  'notify-team': NotifyTeamNode,
  'hand-over': HandOverNode,
  'sub-flow': SubFlowNode,
  loop: LoopNode,
  end: EndNode,
} as const;

const unionOf = <S extends Record<string, TSchema>>(schemas: S) =>
  Type.Union(Object.values(schemas) as S[keyof S][]);

/** Any node, told apart by `kind`. */
export const FlowNode = unionOf(nodesByKind);
/** Any trigger, told apart by `kind`. */
export const FlowTrigger = unionOf(triggersByKind);

/** What a run may use up; beyond it, the run fails. */
export const FlowLimits = closed({
  /** Steps in all; 1000 by default. */
  maxSteps: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  /** Days from start to end; 180 by default. */
  maxDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })),
});

/**
 * Which runs go together. Of flows with the same `group`, a contact has one run at a time: what would start another is left out
 * (`skip`, the default) or ends the one that waits (`replace`).
 */
export const FlowExclusion = closed({
  group: Name,
  policy: Type.Optional(Type.Union([Type.Literal('skip'), Type.Literal('replace')])),
});

/** A flow as it is stored, exported and kept in git. */
export const FlowDefinition = closed({
  name: Type.String({ minLength: 1, maxLength: 128 }),
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  /** Of several flows whose triggers match, the one with the highest priority starts; the default is 0. */
  priority: Type.Optional(Type.Integer({ minimum: -1000, maximum: 1000 })),
  exclusion: Type.Optional(FlowExclusion),
  /** Its triggers go before a question that is open: the run that asked is ended. For words such as "menu" and "help". */
  interrupts: Type.Optional(Type.Boolean()),
  /** What the person says within so many seconds of each other sets the flow off once, as one message. */
  gatherSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 120 })),
  /** For contacts whose own zone is not known. */
  timeZone: Type.Optional(TimeZone),
  limits: Type.Optional(FlowLimits),
  /** What the flow can be given at its start. Where this is declared, nothing else is taken. */
  inputs: Type.Optional(Type.Record(Name, FlowInput)),
  triggers: Type.Array(FlowTrigger, { maxItems: 20 }),
  start: Name,
  nodes: Type.Record(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' }), FlowNode),
});

export type FlowNode = Static<(typeof nodesByKind)[keyof typeof nodesByKind]>;
export type FlowTrigger = Static<(typeof triggersByKind)[keyof typeof triggersByKind]>;
type Shape = Static<typeof FlowDefinition>;
export type FlowDefinition = Omit<Shape, 'nodes' | 'triggers'> & {
  triggers: FlowTrigger[];
  nodes: Record<string, FlowNode>;
};
/** A node of one kind. */
export type NodeOf<K extends FlowNode['kind']> = Extract<FlowNode, { kind: K }>;
