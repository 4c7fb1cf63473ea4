import type { FlowNode, NodeOf } from '../definitions/definition.ts';
import type { Call, CallResult } from './call.ts';
import type { TemplateScope } from './render-text.ts';
import type { EffectBody, HistoryMessage, MessageFacts, Value, Variables, Wait } from './run-state.ts';

/** What a node fails with: its error branch is taken, or the run stops with this reason. */
export class NodeError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What a node may see and do in its step. Nothing of it depends on anything but the run, its inputs and the contact. */
export interface StepContext {
  /** The node's name. */
  readonly node: string;
  /** The moment of the input. */
  readonly atMs: number;
  /** The event that came last. */
  readonly event: MessageFacts;
  readonly scope: TemplateScope;
  /** Answers that did not count, at this question. */
  invalidAnswers: number;
  /** What was said so far, of an answer that is being gathered. */
  gathered: readonly MessageFacts[];
  /** Turns that this loop has taken. */
  turns: number;
  /** @throws Error when a limit is passed or a filter fails. */
  render(template: string, lengthMost?: number, secrets?: Pick<TemplateScope, 'secrets'>): string;
  renderJson(value: unknown, secrets?: Pick<TemplateScope, 'secrets'>): unknown;
  lookUp(path: string): unknown;
  setVariable(name: string, value: Value): void;
  /** Asks for something outside, once in a step. */
  emit(effect: EffectBody): void;
  /** Says what the step found out. */
  note(text: string): void;
  /** Begins another step of the same node, which may have an effect of its own. */
  again(note: string): void;
  /** A number from 0 to 1, drawn from the run's seed; a replay draws the same. */
  random(): number;
  /** The zone of the node, else of the contact, else of the flow, else UTC. */
  timeZone(own?: string, options?: { ofContact: boolean }): string;
  /** The conversation so far, with what this input has said, within a budget. */
  history(tokens: number): HistoryMessage[];
}

/** Where a run goes from a node. */
export type Outcome =
  | { readonly to: string }
  | { readonly wait: Pick<Wait, 'kind' | 'untilMs'> }
  /** Asks the outside, and waits for its answer until then. */
  | { readonly call: Call; readonly untilMs: number }
  /** The flow is at its end. */
  | { readonly end: Variables }
  /** Goes into another flow, and comes back to this node's `next`. */
  | { readonly enter: { flowId: string; input: Variables } };

/** What has come to a node that waits. */
export type Wake =
  | { readonly kind: 'time' }
  | { readonly kind: 'message' | 'event'; readonly event: MessageFacts }
  | { readonly kind: 'result'; readonly result: CallResult }
  | { readonly kind: 'released' };

/** What nodes of one kind do. */
export interface Behaviour<K extends FlowNode['kind']> {
  execute(node: NodeOf<K>, step: StepContext): Outcome;
  /** What has come is for the node; undefined: it is not. */
  wake?(node: NodeOf<K>, step: StepContext, wake: Wake, wait: Wait): Outcome | undefined;
  /** Where the run goes when the node fails and has no error branch; undefined: nowhere. */
  fail?(node: NodeOf<K>, step: StepContext): Outcome | undefined;
}

/** Behaviours of some kinds of nodes. */
export type Behaviours<K extends FlowNode['kind']> = { readonly [Kind in K]: Behaviour<Kind> };
