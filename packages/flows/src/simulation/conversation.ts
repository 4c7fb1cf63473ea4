import type { FlowDefinition } from '../definitions/definition.ts';
import { type Advance, advanceRun, freshRun } from '../execution/advance-run.ts';
import type {
  HistoryMessage,
  MessageFacts,
  RunInput,
  RunState,
  Step,
  Variables,
} from '../execution/run-state.ts';
import { matchEvent, matchTrigger } from '../triggers/match-trigger.ts';
import { type AnswerCall, createAnswerCall } from './answer-calls.ts';
import type { Simulation, SimulationOptions } from './simulate-flow.ts';

/** One line of the transcript. */
export interface TranscriptLine {
  /** Since the conversation began. */
  atSeconds: number;
  from: 'person' | 'flow' | 'engine';
  text: string;
  /** The titles of buttons and rows that are shown. */
  buttons?: string[];
}

type Run = { state: RunState; isCancelled: boolean };
type Choice = { id: string; title: string };

const HISTORY_MOST = 50;
/** No flow asks this often in one go: its circle would be a mistake of ours. */
const CALLS_MOST = 1000;

/** One person's conversation with one flow, as the engine would have it. */
export class Conversation {
  readonly transcript: TranscriptLine[] = [];
  readonly #definition: FlowDefinition;
  readonly #contact: Record<string, unknown>;
  readonly #startMs: number;
  readonly #options: SimulationOptions;
  readonly #answer: AnswerCall;
  readonly #titles = new Map<string, string>();
  readonly #history: HistoryMessage[] = [];
  readonly #steps: Step[] = [];
  readonly #contactEffects: Record<string, unknown>[] = [];
  readonly #otherEffects: Record<string, unknown>[] = [];
  /** The one that moved last comes first. */
  #runs: Run[] = [];
  #newest: Run | undefined;
  #nowMs: number;
  #restsUntilMs: number | undefined;
  /** Events that came while a person had taken over. */
  readonly #held: MessageFacts[] = [];

  constructor(
    definition: FlowDefinition,
    contact: Record<string, unknown>,
    startMs: number,
    options: SimulationOptions,
  ) {
    this.#definition = definition;
    this.#contact = contact;
    this.#startMs = startMs;
    this.#nowMs = startMs;
    this.#options = options;
    this.#answer = createAnswerCall(options.answers ?? []);
  }

  /** The person taps something that was shown. */
  tap(id: string): void {
    this.hear({ type: 'interactive', text: this.#titles.get(id) ?? id, replyId: id });
  }

  /** The person says something. */
  hear(event: MessageFacts): void {
    const text = event.text ?? `(${event.type})`;
    this.#note('person', text);
    this.#remember('user', text);
    if (this.#isResting()) {
      this.#note('engine', 'a person of the team answers');
      return;
    }
    const asked = this.#waiting().find(({ state }) => ['answer', 'gather'].includes(state.wait?.kind ?? ''));
    let isTaken = this.#offer(event);
    const isTriggering = matchTrigger([this.#flow()], event) !== undefined;
    const isInterrupted = isTriggering && this.#definition.interrupts === true;
    if (asked && !isInterrupted) {
      this.#advance(asked, { kind: 'message', atMs: this.#nowMs, event });
      return;
    }
    if (isTriggering) {
      if (asked) asked.isCancelled = true;
      isTaken = this.#begin({ kind: 'start', atMs: this.#nowMs, event }) || isTaken;
    }
    if (!isTaken) this.#note('engine', 'nothing waits for this message, and no trigger matches it');
  }

  /** Something else happens. */
  happen(event: MessageFacts): void {
    this.#note('engine', `${event.type} event ${event.name}`);
    if (this.#isResting()) {
      // An order that comes meanwhile must still stop the reminder.
      this.#held.push(event);
      this.#note('engine', 'a person of the team answers');
      return;
    }
    let isTaken = this.#offer(event);
    if (matchEvent([this.#flow()], event, this.#contact).length > 0)
      isTaken = this.#begin({ kind: 'start', atMs: this.#nowMs, event }) || isTaken;
    if (!isTaken) this.#note('engine', 'nothing waits for this event, and no trigger matches it');
  }

  /** The flow is started with this input. */
  start(variables: Variables): void {
    this.#note('engine', 'the flow is started');
    this.#begin({ kind: 'start', atMs: this.#nowMs, event: { type: 'start' }, variables });
  }

  /** The person of the team lets go. */
  release(): void {
    this.#note('engine', 'automation is back');
    this.#restsUntilMs = undefined;
    for (const run of this.#waiting())
      if (run.state.wait?.kind === 'handover') this.#advance(run, { kind: 'release', atMs: this.#nowMs });
    for (const event of this.#held.splice(0)) this.#offer(event);
  }

  /** Time passes; what is due meanwhile happens in its order. */
  wait(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [due] = this.#waiting()
        .filter(({ state }) => (state.wait?.untilMs ?? Number.POSITIVE_INFINITY) <= untilMs)
        .sort((a, b) => a.state.wait!.untilMs! - b.state.wait!.untilMs!);
      const wait = due?.state.wait;
      if (!due || !wait) break;
      this.#nowMs = Math.max(this.#nowMs, wait.untilMs!);
      if (!this.#advance(due, { kind: 'timer', atMs: this.#nowMs, waitId: wait.id })) break;
    }
    this.#nowMs = untilMs;
  }

  /** How it went. */
  outcome(): Simulation {
    const state = this.#newest?.state;
    return {
      transcript: this.transcript,
      steps: this.#steps,
      status: this.#newest?.isCancelled ? 'cancelled' : (state?.status ?? 'not-started'),
      variables: state?.variables ?? {},
      ...(state?.result === undefined ? {} : { result: state.result }),
      ...(state?.failure === undefined ? {} : { failure: state.failure }),
      contactEffects: this.#contactEffects,
      otherEffects: this.#otherEffects,
    };
  }

  #flow() {
    return { flowId: 'simulated', version: 0, definition: this.#definition };
  }

  #waiting(): Run[] {
    return this.#runs.filter(({ state, isCancelled }) => state.status === 'waiting' && !isCancelled);
  }

  #isResting(): boolean {
    return this.#restsUntilMs !== undefined && this.#nowMs < this.#restsUntilMs;
  }

  /** Offers an event to the runs that wait for one. @returns whether one took it. */
  #offer(event: MessageFacts): boolean {
    let isTaken = false;
    for (const run of this.#waiting())
      if (run.state.wait?.kind === 'event')
        isTaken = this.#advance(run, { kind: 'event', atMs: this.#nowMs, event }) || isTaken;
    return isTaken;
  }

  /** @returns false when a run of its group is under way. */
  #begin(input: Extract<RunInput, { kind: 'start' }>): boolean {
    const { exclusion } = this.#definition;
    const others = exclusion === undefined ? [] : this.#waiting();
    if (others.length > 0 && exclusion?.policy !== 'replace') {
      this.#note('engine', 'a run of the same group is under way');
      return true;
    }
    for (const other of others) other.isCancelled = true;
    const run: Run = { state: freshRun, isCancelled: false };
    this.#runs.unshift(run);
    this.#newest = run;
    return this.#advance(run, { ...input, seed: this.#options.seed ?? 'simulation' });
  }

  /** @returns whether the input changed anything. */
  #advance(run: Run, first: RunInput): boolean {
    let input: RunInput | undefined = first;
    for (let calls = 0; input && calls < CALLS_MOST; calls += 1) {
      const before: RunState = run.state;
      const advance: Advance = advanceRun(this.#definition, before, this.#equip(input), this.#contact, {
        flowOf: (id) => this.#options.flows?.[id],
      });
      if (advance.state === before) return calls > 0;
      run.state = advance.state;
      input = this.#take(advance);
    }
    this.#runs = [run, ...this.#runs.filter((each) => each !== run)];
    return true;
  }

  #equip(input: RunInput): RunInput {
    const flows = Object.fromEntries(Object.keys(this.#options.flows ?? {}).map((id) => [id, 1]));
    return { ...input, flows, history: this.#history.slice(-HISTORY_MOST) };
  }

  /** Carries effects out, as far as a simulation does. @returns the answer to a call. */
  #take({ state, steps, effects }: Advance): RunInput | undefined {
    let answer: RunInput | undefined;
    this.#steps.push(...steps);
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send': {
          const choices = choicesOf(effect.content);
          for (const { id, title } of choices) this.#titles.set(id, title);
          const buttons = choices.map(({ title }) => title);
          this.#note('flow', effect.text, buttons.length === 0 ? undefined : buttons);
          this.#remember('assistant', effect.text);
          break;
        }
        case 'call':
          this.#otherEffects.push({ ...effect });
          answer = {
            kind: 'result',
            atMs: this.#nowMs,
            waitId: effect.waitId,
            result: this.#answer(effect.call),
          };
          break;
        case 'handover':
          this.#contactEffects.push({ ...effect });
          this.#restsUntilMs = effect.untilMs ?? Number.POSITIVE_INFINITY;
          this.#note('engine', 'the conversation is handed over to a person');
          break;
        case 'email':
        case 'webhook':
        case 'notify':
          this.#otherEffects.push({ ...effect });
          break;
        default:
          this.#contactEffects.push({ ...effect });
      }
    }
    if (state.failure) this.#note('engine', `the run failed: ${state.failure.message}`);
    return answer;
  }

  #note(from: TranscriptLine['from'], text: string, buttons?: string[]): void {
    this.transcript.push({
      atSeconds: (this.#nowMs - this.#startMs) / 1000,
      from,
      text,
      ...(buttons === undefined ? {} : { buttons }),
    });
  }

  #remember(role: HistoryMessage['role'], content: string): void {
    this.#history.push({ role, content });
  }
}

/** What can be tapped of a message. */
function choicesOf(content: Readonly<Record<string, unknown>>): Choice[] {
  const { action } = content as {
    action?: { buttons?: { reply?: Choice }[]; sections?: { rows?: Choice[] }[] };
  };
  const buttons = (action?.buttons ?? []).flatMap(({ reply }) => (reply ? [reply] : []));
  const rows = (action?.sections ?? []).flatMap(({ rows: each = [] }) => each);
  return [...buttons, ...rows];
}
