import { setTimeout as delay } from 'node:timers/promises';
import type { AcceptedMessage } from '@switchyard/simulator';
import { textOf } from './converse.ts';
import { type ServiceName, serviceNames } from './settings.ts';
import type { System } from './start-system.ts';
import { personOf, surveyFlow, type Turn } from './survey.ts';

/** How much, and how wild. */
export interface FlowChaosOptions {
  /** So many at least; people go on coming until each service, and Redis, has died in the middle of it. */
  conversations: number;
  atATime: number;
  /** Pause after a killed process is back, at most. */
  pauseMs: number;
  /** Between two deaths of Redis. */
  redisEveryMs: number;
  /** All conversations must have ended by then. */
  deadlineMs: number;
  /** Every draw of chance follows from it. */
  seed: number;
  onProgress?: (done: number, kills: number) => void;
}

/** What came of it. */
export interface FlowChaosReport {
  seconds: number;
  conversations: number;
  kills: Record<ServiceName, number>;
  redisRestarts: number;
  /** Conversations that did not come to their end: how far they came. */
  unfinished: { phone: string; turn: number; read: string[] }[];
  /** People who read anything but what a run without faults says. */
  wrong: { phone: string; read: string[]; expected: string[] }[];
}

interface Person {
  phone: string;
  turns: Turn[];
  expected: string[];
  read: string[];
  turn: number;
}

/**
 * Has conversations of several turns, in which each person waits for the reply before they say more, while services are killed with
 * SIGKILL and Redis dies and comes back.
 */
export async function runFlowChaos(system: System, options: FlowChaosOptions): Promise<FlowChaosReport> {
  const { simulator } = system;
  const { conversations, atATime } = options;
  await install(system);
  const people = new Map<string, Person>();
  const done: Person[] = [];
  const startedAt = performance.now();
  const { promise: allDone, resolve } = Promise.withResolvers<void>();
  let begun = 0;
  const deaths: Deaths = { kills: noKills(), redisRestarts: 0 };

  const say = (person: Person) => {
    const { line } = person.turns[person.turn]!;
    const said = 'say' in line ? { text: line.say } : { buttonReply: choiceOf(line as { tap: string }) };
    simulator.inject({ from: person.phone, name: 'Ada', ...said });
  };
  const begin = () => {
    if (begun >= conversations && haveAllDied(deaths)) return;
    const number = begun;
    begun += 1;
    const { turns, transcript } = personOf(number);
    const person = { phone: `1556${1_000_000 + number}`, turns, expected: transcript, read: [], turn: 0 };
    people.set(person.phone, person);
    say(person);
  };
  const hear = (message: AcceptedMessage) => {
    const person = message.to === undefined ? undefined : people.get(message.to);
    if (!person) return;
    person.read.push(textOf(message));
    const turn = person.turns[person.turn];
    if (!turn || person.read.length < turn.readUntil) return;
    person.turn += 1;
    if (person.turn < person.turns.length) {
      say(person);
      return;
    }
    done.push(person);
    begin();
    if (done.length === begun) resolve();
  };
  const stopHearing = simulator.onAccepted(hear);
  for (let index = 0; index < Math.min(atATime, conversations); index += 1) begin();

  const chaos = new AbortController();
  const havoc = wreak(system, options, deaths, chaos.signal, () => done.length);
  await Promise.race([allDone, delay(options.deadlineMs, undefined, { ref: false })]);
  chaos.abort();
  await havoc;
  // What was said twice would come after the end, too.
  await Promise.race([allDone, delay(60_000, undefined, { ref: false })]);
  await delay(3000);
  stopHearing();

  const all = [...people.values()];
  return {
    seconds: (performance.now() - startedAt) / 1000,
    conversations: begun,
    ...deaths,
    unfinished: all
      .filter(({ turn, turns }) => turn < turns.length)
      .map(({ phone, turn, read }) => ({ phone, turn, read })),
    wrong: all
      .filter(({ read, expected }) => JSON.stringify(read) !== JSON.stringify(expected))
      .map(({ phone, read, expected }) => ({ phone, read, expected })),
  };
}

type Deaths = Pick<FlowChaosReport, 'kills' | 'redisRestarts'>;

function noKills(): Deaths['kills'] {
  return Object.fromEntries(serviceNames.map((name) => [name, 0])) as Deaths['kills'];
}

function haveAllDied({ kills, redisRestarts }: Deaths): boolean {
  return redisRestarts > 0 && Object.values(kills).every((count) => count > 0);
}

/** Publishes the survey, and waits until every replica knows it. */
async function install(system: System): Promise<void> {
  const { flow } = await system.api<{ flow: { id: string } }>('flow-engine', '/api/v1/flows', {
    definition: surveyFlow,
  });
  await system.api('flow-engine', `/api/v1/flows/${flow.id}/publish`, {});
  await delay(2500);
}

/** Kills and restarts until it is told to stop; then everything runs again. */
async function wreak(
  system: System,
  { pauseMs, redisEveryMs, seed, onProgress }: FlowChaosOptions,
  deaths: Deaths,
  signal: AbortSignal,
  done: () => number,
): Promise<void> {
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  let redisDueAt = performance.now() + redisEveryMs;
  /** Each service dies once per round, in an order of chance. */
  let round: typeof system.instances = [];
  while (!signal.aborted) {
    if (performance.now() >= redisDueAt) {
      await system.redis.kill();
      await system.redis.start();
      deaths.redisRestarts += 1;
      redisDueAt = performance.now() + redisEveryMs;
    }
    if (round.length === 0) round = [...system.instances];
    const victim = round[Math.floor(random() * round.length)]!;
    round = round.filter((each) => each !== victim);
    await victim.end('SIGKILL');
    deaths.kills[victim.service] += 1;
    await victim.start();
    onProgress?.(
      done(),
      Object.values(deaths.kills).reduce((sum, each) => sum + each, 0),
    );
    await delay(random() * pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

function choiceOf({ tap }: { tap: string }): { id: string; title: string } {
  const title = { s: 'Small', m: 'Medium', l: 'Large' }[tap];
  if (title === undefined) throw new Error(`nobody can tap ${tap}`);
  return { id: tap, title };
}
