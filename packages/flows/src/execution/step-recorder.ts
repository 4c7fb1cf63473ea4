import type { FlowNode } from '../definitions/definition.ts';
import type { Advance } from './advance-run.ts';
import type { StepContext } from './behaviour.ts';
import { cutHistory } from './cut-history.ts';
import { draw } from './draw.ts';
import { lookUp } from './look-up.ts';
import { mergeMessages } from './merge-messages.ts';
import { createRenderer, type TemplateScope } from './render-text.ts';
import type {
  Effect,
  EffectBody,
  Failure,
  Frame,
  HistoryMessage,
  MessageFacts,
  RunState,
  Step,
  Value,
} from './run-state.ts';
import type { WalkParts } from './walk.ts';

/** What a step can undo. */
interface Saved {
  frame: Frame;
  effects: number;
  emitted: number;
  event: MessageFacts;
  gathered: readonly MessageFacts[];
  invalidAnswers: number;
}

/** Keeps what a pass does: steps, effects, and the values that change. */
export class StepRecorder {
  readonly #parts: WalkParts;
  readonly #renderer = createRenderer();
  readonly #steps: Step[] = [];
  readonly #effects: Effect[] = [];
  /** The last step that had an effect: it has one at most, since its id is of run and step. */
  #emitted = 0;
  #error: Failure | undefined;
  readonly #failures: Failure[] = [];
  frame: Frame;
  event: MessageFacts;
  gathered: readonly MessageFacts[];
  invalidAnswers: number;
  taken: number;

  constructor(parts: WalkParts) {
    const { state, input } = parts;
    const { flow, variables, input: given, loops } = state;
    this.#parts = parts;
    this.#error = state.error;
    this.frame = { variables, ...defined({ flow, input: given, loops }) };
    this.event = 'event' in input ? input.event : (state.event ?? { type: 'start' });
    this.gathered = state.gathered ?? [];
    this.invalidAnswers = state.invalidAnswers;
    this.taken = state.steps;
  }

  /** A node is executed: a new step. */
  begin(name: string, node: FlowNode): StepContext {
    this.#count(name, node.kind);
    return this.#context(name, node.kind);
  }

  /** A node goes on: still its step, until it begins another. */
  wake(name: string, node: FlowNode): StepContext {
    this.#emitted = this.taken;
    return this.#context(name, node.kind);
  }

  emit(effect: EffectBody): void {
    if (this.#emitted === this.taken) throw new TypeError('a step has one effect at most');
    this.#emitted = this.taken;
    this.#effects.push({ step: this.taken, ...effect });
  }

  fail(failure: Failure): void {
    this.#error = failure;
    this.#failures.push(failure);
    this.#note(failure.code);
  }

  save(): Saved {
    const { frame, event, gathered, invalidAnswers } = this;
    return { frame, event, gathered, invalidAnswers, effects: this.#effects.length, emitted: this.#emitted };
  }

  restore({ effects, emitted, frame, event, gathered, invalidAnswers }: Saved): void {
    this.#effects.length = effects;
    this.#emitted = emitted;
    Object.assign(this, { frame, event, gathered, invalidAnswers });
  }

  /** What the pass comes to. */
  finish(
    end: Pick<RunState, 'status' | 'wait' | 'failure' | 'result'>,
    callers: NonNullable<RunState['callers']>,
  ): Advance {
    const { state, input } = this.#parts;
    const seed = input.kind === 'start' ? input.seed : state.seed;
    const startedAtMs = state.startedAtMs ?? (input.kind === 'start' ? input.atMs : undefined);
    return {
      state: {
        ...end,
        ...this.frame,
        steps: this.taken,
        invalidAnswers: this.invalidAnswers,
        event: this.event,
        ...defined({ seed, startedAtMs, error: this.#error }),
        ...(this.gathered.length > 0 ? { gathered: this.gathered } : {}),
        ...(callers.length > 0 ? { callers } : {}),
      },
      steps: this.#steps,
      effects: this.#effects,
      failures: this.#failures,
    };
  }

  #count(node: string, kind: string, note?: string): void {
    this.taken += 1;
    const flow = this.frame.flow?.id;
    this.#steps.push({ number: this.taken, node, kind, ...defined({ note, flow }) });
  }

  /** A step says one thing; what comes later counts. */
  #note(note: string): void {
    const last = this.#steps.at(-1);
    if (last && last.number === this.taken) this.#steps[this.#steps.length - 1] = { ...last, note };
  }

  #scope(): TemplateScope {
    const { input, contact } = this.#parts;
    return {
      contact,
      variables: this.frame.variables,
      event: this.event as unknown as Record<string, unknown>,
      input: this.frame.input ?? {},
      error: { ...this.#error },
      now: new Date(input.atMs).toISOString(),
    };
  }

  #history(tokens: number): HistoryMessage[] {
    const said = this.#effects
      .filter((effect) => effect.kind === 'send')
      .map(({ text }): HistoryMessage => ({ role: 'assistant', content: text }));
    return cutHistory([...(this.#parts.input.history ?? []), ...said], tokens);
  }

  #setVariable(name: string, value: Value): void {
    this.frame = { ...this.frame, variables: { ...this.frame.variables, [name]: value } };
  }

  #setTurns(node: string, turns: number): void {
    const { [node]: _, ...others } = this.frame.loops ?? {};
    const { loops: __, ...rest } = this.frame;
    const loops = turns === 0 ? others : { ...others, [node]: turns };
    this.frame = { ...rest, ...(Object.keys(loops).length > 0 ? { loops } : {}) };
  }

  #context(node: string, kind: string): StepContext {
    const recorder = this;
    const { input, contact, definition, state } = this.#parts;
    return {
      node,
      atMs: input.atMs,
      get event() {
        return recorder.event;
      },
      get scope() {
        return recorder.#scope();
      },
      get invalidAnswers() {
        return recorder.invalidAnswers;
      },
      set invalidAnswers(count) {
        recorder.invalidAnswers = count;
      },
      get gathered() {
        return recorder.gathered;
      },
      set gathered(messages) {
        // What was gathered is, from then on, what was said last.
        if (messages.length === 0 && recorder.gathered.length > 0)
          recorder.event = mergeMessages(recorder.gathered);
        recorder.gathered = messages;
      },
      get turns() {
        return recorder.frame.loops?.[node] ?? 0;
      },
      set turns(count) {
        recorder.#setTurns(node, count);
      },
      render: (template, lengthMost, secrets) =>
        recorder.#renderer.text(template, { ...recorder.#scope(), ...secrets }, lengthMost),
      renderJson: (value, secrets) => recorder.#renderer.json(value, { ...recorder.#scope(), ...secrets }),
      lookUp: (path) => lookUp(path, recorder.#scope()),
      setVariable: (name, value) => recorder.#setVariable(name, value),
      emit: (effect) => recorder.emit(effect),
      note: (text) => recorder.#note(text),
      again: (note) => recorder.#count(node, kind, note),
      random: () => draw((input.kind === 'start' ? input.seed : state.seed) ?? '', recorder.taken),
      timeZone(own, { ofContact } = { ofContact: true }) {
        const ofPerson = ofContact && typeof contact.timeZone === 'string' ? contact.timeZone : undefined;
        return own ?? ofPerson ?? definition.timeZone ?? 'UTC';
      },
      history: (tokens) => recorder.#history(tokens),
    };
  }
}

/** Without the fields that are undefined. */
function defined<T extends Record<string, unknown>>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
