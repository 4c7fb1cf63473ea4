import type { Button, FlowDefinition, FlowNode } from '../definitions/definition.ts';
import { checkAnswer } from './check-answer.ts';
import { evaluateCondition } from './evaluate-condition.ts';
import { renderText, shorten } from './render-text.ts';
import type { Effect, MessageFacts, RunInput, RunState, Step } from './run-state.ts';

/** How far a run may go. */
export interface RunLimits {
  /** Steps in all; a run that passes it fails. */
  readonly maxSteps: number;
}

/** What one input did to a run. */
export interface Advance {
  readonly state: RunState;
  readonly steps: readonly Step[];
  readonly effects: readonly Effect[];
}

/** A run before its first input. */
export const freshRun: RunState = { status: 'waiting', variables: {}, steps: 0, invalidAnswers: 0 };

/** The Cloud API takes less text beside buttons than without. */
const MAX_TEXT_WITH_BUTTONS = 1024;

export const defaultLimits: RunLimits = { maxSteps: 1000 };

/**
 * Takes one input and executes nodes until the run waits or ends.
 *
 * Pure: the same definition, state and input give the same result, so that a run can be resumed after a crash, simulated and
 * replayed from its journal. An input that the run does not wait for changes nothing.
 *
 * @param contact what templates may know of the person, as of the input.
 */
export function advanceRun(
  definition: FlowDefinition,
  state: RunState,
  input: RunInput,
  contact: Record<string, unknown>,
  limits: RunLimits = defaultLimits,
): Advance {
  const unchanged: Advance = { state, steps: [], effects: [] };
  if (state.status !== 'waiting') return unchanged;
  const walk = new Walk(definition, state, input, contact, limits);
  if (input.kind === 'start') {
    if (state.steps > 0 || state.wait) return unchanged;
    return walk.from(definition.start);
  }
  if (!state.wait) return unchanged;
  if (input.kind === 'timer') {
    return input.waitId === state.wait.id ? walk.afterTime(state.wait.node) : unchanged;
  }
  return state.wait.kind === 'answer' ? walk.afterAnswer(state.wait.node, input.event) : unchanged;
}

/** One pass through the nodes: what it gathers lives no longer than the pass. */
class Walk {
  readonly #definition: FlowDefinition;
  readonly #input: RunInput;
  readonly #contact: Record<string, unknown>;
  readonly #limits: RunLimits;
  readonly #steps: Step[] = [];
  readonly #effects: Effect[] = [];
  #variables: RunState['variables'];
  #taken: number;
  #invalidAnswers: number;

  constructor(
    definition: FlowDefinition,
    state: RunState,
    input: RunInput,
    contact: Record<string, unknown>,
    limits: RunLimits,
  ) {
    this.#definition = definition;
    this.#input = input;
    this.#contact = contact;
    this.#limits = limits;
    this.#variables = input.kind === 'start' ? { ...state.variables, ...input.variables } : state.variables;
    this.#taken = state.steps;
    this.#invalidAnswers = state.invalidAnswers;
  }

  /** Executes nodes from this one on. */
  from(start: string): Advance {
    let name = start;
    for (;;) {
      const node = this.#definition.nodes[name];
      if (node === undefined) return this.#fail('NODE_MISSING', `there is no node "${name}"`, name);
      if (this.#taken >= this.#limits.maxSteps) {
        return this.#fail('TOO_MANY_STEPS', `the run took more than ${this.#limits.maxSteps} steps`, name);
      }
      this.#taken += 1;
      try {
        const next = this.#execute(name, node);
        if (typeof next !== 'string') return next;
        name = next;
      } catch (error) {
        return this.#fail('NODE_FAILED', (error as Error).message, name);
      }
    }
  }

  /** The time is up: a wait goes on, a question takes its time-out branch. */
  afterTime(name: string): Advance {
    const node = this.#definition.nodes[name];
    if (node?.kind === 'wait') return this.from(node.next);
    if (node?.kind === 'ask' && node.onTimeout !== undefined) {
      this.#invalidAnswers = 0;
      return this.from(node.onTimeout);
    }
    return this.#fail('NODE_MISSING', `node "${name}" does not wait for a time`, name);
  }

  /** An answer has come to the question of this node. */
  afterAnswer(name: string, event: MessageFacts): Advance {
    const node = this.#definition.nodes[name];
    if (node?.kind !== 'ask') return this.#fail('NODE_MISSING', `node "${name}" asks nothing`, name);
    const answer = checkAnswer(node, event);
    if (answer !== undefined) {
      this.#variables = { ...this.#variables, [node.saveAs]: answer };
      this.#invalidAnswers = 0;
      return this.from(node.next);
    }
    if (this.#invalidAnswers < (node.retries ?? 0)) {
      this.#invalidAnswers += 1;
      this.#taken += 1;
      this.#note(name, 'ask', 'the answer did not count');
      try {
        this.#send(node.retryText ?? node.text, node.buttons);
      } catch (error) {
        return this.#fail('NODE_FAILED', (error as Error).message, name);
      }
      return this.#waitForAnswer(name, node);
    }
    this.#invalidAnswers = 0;
    return this.from(node.onInvalid ?? node.next);
  }

  /** Executes one node: the next one's name, or the end of the pass. */
  #execute(name: string, node: FlowNode): string | Advance {
    switch (node.kind) {
      case 'send':
        this.#note(name, node.kind);
        this.#send(node.text, node.buttons);
        return node.next;
      case 'ask':
        this.#note(name, node.kind);
        this.#send(node.text, node.buttons);
        return this.#waitForAnswer(name, node);
      case 'branch': {
        const hit = node.cases.findIndex(({ when }) => evaluateCondition(when, this.#variables));
        this.#note(name, node.kind, hit === -1 ? 'otherwise' : `case ${hit + 1}`);
        return node.cases[hit]?.next ?? node.otherwise;
      }
      case 'set-variable':
        this.#note(name, node.kind);
        this.#variables = { ...this.#variables, [node.name]: this.#render(node.value) };
        return node.next;
      case 'set-attribute':
        this.#note(name, node.kind);
        this.#effects.push({
          kind: 'set-attribute',
          step: this.#taken,
          name: node.name,
          value: this.#render(node.value),
        });
        return node.next;
      case 'tag':
        this.#note(name, node.kind);
        this.#effects.push({
          kind: 'tag',
          step: this.#taken,
          add: node.add ?? [],
          remove: node.remove ?? [],
        });
        return node.next;
      case 'wait':
        this.#note(name, node.kind);
        return this.#pause({
          id: `w${this.#taken}`,
          kind: 'time',
          node: name,
          untilMs: this.#input.atMs + node.seconds * 1000,
        });
      case 'end':
        this.#note(name, node.kind);
        return this.#result({ status: 'finished' });
    }
  }

  #waitForAnswer(name: string, node: Extract<FlowNode, { kind: 'ask' }>): Advance {
    const until =
      node.timeoutSeconds === undefined ? {} : { untilMs: this.#input.atMs + node.timeoutSeconds * 1000 };
    return this.#pause({ id: `w${this.#taken}`, kind: 'answer', node: name, ...until });
  }

  #send(template: string, buttons: readonly Button[] | undefined): void {
    const rendered = this.#render(template);
    const text = buttons === undefined ? rendered : shorten(rendered, MAX_TEXT_WITH_BUTTONS);
    if (text.trim() === '') throw new Error('the text to send is empty');
    const message =
      buttons === undefined
        ? { type: 'text' as const, content: { body: text } }
        : {
            type: 'interactive' as const,
            content: {
              type: 'button',
              body: { text },
              action: { buttons: buttons.map(({ id, title }) => ({ type: 'reply', reply: { id, title } })) },
            },
          };
    this.#effects.push({ kind: 'send', step: this.#taken, text, ...message });
  }

  #render(template: string): string {
    const event = this.#input.kind === 'timer' ? {} : { ...this.#input.event };
    return renderText(template, { contact: this.#contact, variables: this.#variables, event });
  }

  #note(node: string, kind: string, note?: string): void {
    this.#steps.push({ number: this.#taken, node, kind, ...(note === undefined ? {} : { note }) });
  }

  #pause(wait: NonNullable<RunState['wait']>): Advance {
    return this.#result({ status: 'waiting', wait });
  }

  #fail(code: string, message: string, node: string): Advance {
    return this.#result({ status: 'failed', failure: { code, message, node } });
  }

  #result(end: Pick<RunState, 'status' | 'wait' | 'failure'>): Advance {
    return {
      state: { ...end, variables: this.#variables, steps: this.#taken, invalidAnswers: this.#invalidAnswers },
      steps: this.#steps,
      effects: this.#effects,
    };
  }
}
