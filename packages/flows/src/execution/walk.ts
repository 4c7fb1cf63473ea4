import type { FlowDefinition, FlowNode } from '../definitions/definition.ts';
import type { Advance, FlowOf, RunLimits } from './advance-run.ts';
import { NodeError, type Outcome, type StepContext, type Wake } from './behaviour.ts';
import { behaviourOf } from './nodes/index.ts';
import type { Failure, Frame, MessageFacts, RunInput, RunState, Variables, Wait } from './run-state.ts';
import { StepRecorder } from './step-recorder.ts';
import { takeInputs } from './take-inputs.ts';

/** What a walk starts from. */
export interface WalkParts {
  definition: FlowDefinition;
  state: RunState;
  input: RunInput;
  contact: Record<string, unknown>;
  limits: RunLimits;
  flowOf: FlowOf | undefined;
}

/** Pieces of an answer that is being gathered. */
const GATHERED_MOST = 20;

/** One pass through the nodes: what it gathers lives no longer than the pass. */
export class Walk {
  readonly #parts: WalkParts;
  readonly #recorder: StepRecorder;
  #definition: FlowDefinition;
  #callers: NonNullable<RunState['callers']>;

  constructor(parts: WalkParts) {
    this.#parts = parts;
    this.#callers = parts.state.callers ?? [];
    this.#recorder = new StepRecorder(parts);
    this.#definition = this.#definitionOf(parts.state.flow) ?? parts.definition;
  }

  /** The first input: the flow's inputs are taken, and its first node is executed, unless more is to be said first. */
  begin(): Advance {
    const { definition, input } = this.#parts;
    const recorder = this.#recorder;
    if (input.kind !== 'start') return this.#result({ status: 'waiting' });
    try {
      const given = takeInputs(definition.inputs, input.variables ?? {});
      recorder.frame = {
        ...recorder.frame,
        variables: given,
        ...(definition.inputs ? { input: given } : {}),
      };
    } catch (error) {
      return this.#end(failureOf(error));
    }
    const isSaid = input.event.name === undefined && input.event.type !== 'start';
    if (definition.gatherSeconds !== undefined && isSaid) return this.gather(input.event);
    return this.from(definition.start);
  }

  /** Begins with what was gathered. */
  beginWith(event: MessageFacts): Advance {
    this.#recorder.event = event;
    this.#recorder.gathered = [];
    return this.from(this.#definition.start);
  }

  /** More of what sets the flow off is said. */
  gather(event: MessageFacts): Advance {
    const { state, input, definition } = this.#parts;
    const gathered = [...(state.gathered ?? []), event].slice(-GATHERED_MOST);
    this.#recorder.gathered = gathered;
    return this.#pause(definition.start, {
      kind: 'gather',
      untilMs: input.atMs + (definition.gatherSeconds ?? 0) * 1000,
    });
  }

  /** The run has become too old, whatever it waits for. */
  expire(): Advance {
    return this.#end({ code: 'RUN_EXPIRED', message: 'the run has taken longer than its flow may' });
  }

  /** A message that the run has asked for since it began to wait did not go out. @returns undefined: the node has no error branch. */
  undelivered({ node: name, outcome, reason }: Extract<RunInput, { kind: 'outcome' }>): Advance | undefined {
    const node = this.#node(name);
    const branch = node && errorBranchOf(node);
    if (!node || branch === undefined) return undefined;
    this.#recorder.begin(name, node);
    this.#recorder.fail({
      code: `MESSAGE_${outcome.toUpperCase()}`,
      message: reason ?? `the message was ${outcome}`,
      node: name,
    });
    this.#recorder.invalidAnswers = 0;
    this.#recorder.gathered = [];
    return this.from(branch);
  }

  /** Executes nodes from this one on. */
  from(start: string): Advance {
    let name = start;
    for (;;) {
      const node = this.#node(name);
      if (!node)
        return this.#end({ code: 'NODE_MISSING', message: `there is no node "${name}"`, node: name });
      const { maxSteps } = this.#parts.limits;
      if (this.#recorder.taken >= maxSteps)
        return this.#end({
          code: 'TOO_MANY_STEPS',
          message: `the run took more than ${maxSteps} steps`,
          node: name,
        });
      const step = this.#recorder.begin(name, node);
      const next = this.#follow(name, node, step, () => behaviourOf(node.kind)?.execute(node, step));
      if (typeof next !== 'string') return next;
      name = next;
    }
  }

  /** What has come for the node that waits. @returns undefined when it is not for it. */
  wake(wait: Wait, wake: Wake): Advance | undefined {
    const node = this.#node(wait.node);
    if (!node)
      return this.#end({ code: 'NODE_MISSING', message: `there is no node "${wait.node}"`, node: wait.node });
    const step = this.#recorder.wake(wait.node, node);
    let isWoken = true;
    const next = this.#follow(wait.node, node, step, () => {
      const outcome = behaviourOf(node.kind)?.wake?.(node, step, wake, wait);
      isWoken = outcome !== undefined;
      return outcome;
    });
    if (!isWoken) return undefined;
    return typeof next === 'string' ? this.from(next) : next;
  }

  /** Does what a node decides, or what its failure leads to. @returns the next node's name, or the end of the pass. */
  #follow(
    name: string,
    node: FlowNode,
    step: StepContext,
    decide: () => Outcome | undefined,
  ): string | Advance {
    const kept = this.#recorder.save();
    try {
      return this.#take(name, decide() ?? { end: {} });
    } catch (error) {
      // What a failed node has half done is undone.
      this.#recorder.restore(kept);
      return this.#handle(name, node, step, failureOf(error, name));
    }
  }

  /** @throws NodeError */
  #take(name: string, outcome: Outcome): string | Advance {
    if ('to' in outcome) return outcome.to;
    if ('wait' in outcome) return this.#pause(name, outcome.wait);
    if ('call' in outcome) {
      const waitId = this.#waitId();
      this.#recorder.emit({ kind: 'call', waitId, call: outcome.call });
      return this.#pause(name, { kind: 'call', untilMs: outcome.untilMs });
    }
    if ('enter' in outcome) return this.#enter(name, outcome.enter);
    return this.#leave(outcome.end);
  }

  /** Goes into another flow. @throws NodeError */
  #enter(name: string, { flowId, input }: { flowId: string; input: Variables }): string {
    const { input: outside, limits } = this.#parts;
    if (this.#callers.length >= limits.maxDepth)
      throw new NodeError('SUB_FLOW_TOO_DEEP', `flows call each other more than ${limits.maxDepth} deep`);
    const version = outside.flows?.[flowId];
    const flow = version === undefined ? undefined : { id: flowId, version };
    const definition = flow && this.#parts.flowOf?.(flow.id, flow.version);
    if (!flow || !definition)
      throw new NodeError('SUB_FLOW_MISSING', `there is no published flow "${flowId}" to call`);
    const given = takeInputs(definition.inputs, input);
    this.#callers = [...this.#callers, { ...this.#recorder.frame, node: name }];
    this.#definition = definition;
    this.#recorder.frame = { flow, variables: given, input: given };
    return definition.start;
  }

  /** Comes back from a flow, or ends the run. @throws NodeError */
  #leave(result: Variables): string | Advance {
    const caller = this.#callers.at(-1);
    if (!caller)
      return this.#result({ status: 'finished', ...(Object.keys(result).length > 0 ? { result } : {}) });
    const { node: name, ...frame } = caller;
    this.#callers = this.#callers.slice(0, -1);
    this.#recorder.frame = frame;
    this.#definition = this.#definitionOf(frame.flow) ?? this.#parts.definition;
    const node = this.#node(name);
    if (node?.kind !== 'sub-flow') throw new NodeError('NODE_MISSING', `node "${name}" calls no flow`);
    if (node.saveAs !== undefined)
      this.#recorder.frame = { ...frame, variables: { ...frame.variables, [node.saveAs]: result } };
    return node.next;
  }

  /** Where a failure leads: the node's error branch, that of a flow which called, or nowhere. */
  #handle(name: string, node: FlowNode, step: StepContext, failure: Failure): string | Advance {
    const recorder = this.#recorder;
    recorder.fail(failure);
    const own = errorBranchOf(node);
    if (own !== undefined) return own;
    try {
      const outcome = behaviourOf(node.kind)?.fail?.(node, step);
      if (outcome) return this.#take(name, outcome);
    } catch (error) {
      return this.#rise(failureOf(error, name));
    }
    return this.#rise(failure);
  }

  /** Looks for an error branch in the flows that called. Where there is none, the run stops where it failed, and can be retried there. */
  #rise(failure: Failure): string | Advance {
    for (let depth = this.#callers.length - 1; depth >= 0; depth -= 1) {
      const { node: name, ...frame } = this.#callers[depth]!;
      const definition = this.#definitionOf(frame.flow) ?? this.#parts.definition;
      const node = Object.hasOwn(definition.nodes, name) ? definition.nodes[name] : undefined;
      const branch = node && errorBranchOf(node);
      if (branch === undefined) continue;
      this.#callers = this.#callers.slice(0, depth);
      this.#recorder.frame = frame;
      this.#definition = definition;
      return branch;
    }
    return this.#end(failure);
  }

  #node(name: string): FlowNode | undefined {
    return Object.hasOwn(this.#definition.nodes, name) ? this.#definition.nodes[name] : undefined;
  }

  #definitionOf(flow: Frame['flow']): FlowDefinition | undefined {
    return flow && this.#parts.flowOf?.(flow.id, flow.version);
  }

  /** New with every wait: of a step, and of the pieces that it has gathered. */
  #waitId(): string {
    const { taken, gathered } = this.#recorder;
    return gathered.length > 0 ? `w${taken}g${gathered.length}_${this.#parts.input.atMs}` : `w${taken}`;
  }

  #pause(node: string, wait: Pick<Wait, 'kind' | 'untilMs'>): Advance {
    return this.#result({ status: 'waiting', wait: { id: this.#waitId(), node, ...wait } });
  }

  #end(failure: Failure): Advance {
    return this.#result({ status: 'failed', failure });
  }

  #result(end: Pick<RunState, 'status' | 'wait' | 'failure' | 'result'>): Advance {
    return this.#recorder.finish(end, this.#callers);
  }
}

function errorBranchOf(node: FlowNode): string | undefined {
  return 'onError' in node ? node.onError : undefined;
}

function failureOf(error: unknown, node?: string): Failure {
  const where = node === undefined ? {} : { node };
  if (error instanceof NodeError) return { code: error.code, message: error.message, ...where };
  return { code: 'NODE_FAILED', message: (error as Error).message, ...where };
}
