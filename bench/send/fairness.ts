import { setTimeout as pause } from 'node:timers/promises';
import { median, quantile } from './figures.ts';
import { collectLatencies, sendProbe } from './latencies.ts';
import { type Stand, startStand } from './start-stand.ts';

const NUMBERS = 10_000;
const PAIRS = 7;
const ROUND_MS = 8000;
const PER_SECOND = 200;
const BLOCKED = 0;
/** Messages that wait for the number whose calls hang. */
const HUNG = 300;

/** Who is written to next. In turn, so that nobody gets more than the provider allows for one person. */
const turn = { person: 0, hung: NUMBERS };

/** (d) Ten thousand numbers in use; in every second round the calls of one of them hang while it has a backlog. */
export async function measureFairness(database: 'sqlite' | 'mysql'): Promise<void> {
  const stand = await startStand({ database, connections: 100, env: { SEND_HTTP_TIMEOUT_MS: '5000' } });
  try {
    await stand.putNumbers(NUMBERS, 'STANDARD');
    await stand.ask('/numbers', { count: NUMBERS, perSecond: 80 });
    await stand.ask('/people', { count: NUMBERS, numbers: NUMBERS });
    await stand.ask('/people', { count: HUNG * PAIRS, numbers: 1, from: NUMBERS });
    await round(stand, 'warm', false);
    const ratios: number[] = [];
    const p99s: { free: number[]; blocked: number[] } = { free: [], blocked: [] };
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const free = quantile(await round(stand, `free${pair}`, false), 0.99);
      const blocked = quantile(await round(stand, `blocked${pair}`, true), 0.99);
      p99s.free.push(free);
      p99s.blocked.push(blocked);
      ratios.push(blocked / free);
    }
    console.log(
      `(d) ${database}, ${NUMBERS} numbers at ${PER_SECOND} messages/s, one whose calls hang: the others' p99 ${median(p99s.blocked)} ms, without it ${median(p99s.free)} ms; median of ${PAIRS} pairs ${median(ratios).toFixed(2)} (target ≤ 1.25)`,
    );
  } finally {
    await stand.close();
  }
}

/** Waits until the service has the whole backlog: what is measured is a number that hangs, not three hundred jobs in one moment. */
async function taken(stand: Stand): Promise<void> {
  const queue = stand.producer.queue('messages');
  while ((await queue.getJobCountByTypes('waiting', 'prioritized')) > 0) await pause(20);
}

async function round(stand: Stand, name: string, isBlocked: boolean): Promise<number[]> {
  const sentAt = new Map<string, number>();
  const after = await stand.accepted();
  if (isBlocked) {
    await stand.simulator('POST', 'faults', {
      kind: 'hang',
      phoneNumberId: String(300_000_000_000_000 + BLOCKED),
    });
    for (let index = 0; index < HUNG; index += 1, turn.hung += 1)
      await sendProbe(
        stand,
        { messageId: `m_hung_${name}_${index}`, person: turn.hung, senderIndex: BLOCKED, lane: 'flow' },
        new Map(),
      );
    await taken(stand);
  }
  const startedAt = performance.now();
  for (let index = 0; performance.now() - startedAt < ROUND_MS; index += 1) {
    turn.person = (turn.person % (NUMBERS - 1)) + 1;
    const { person } = turn;
    await sendProbe(
      stand,
      { messageId: `m_${name}_${index}`, person, senderIndex: person, lane: 'flow' },
      sentAt,
    );
    const dueMs = (index * 1000) / PER_SECOND - (performance.now() - startedAt);
    if (dueMs > 1) await pause(dueMs);
  }
  const { latencies } = await collectLatencies(stand, sentAt, after, 30_000);
  if (isBlocked) await stand.simulator('DELETE', 'faults');
  if (latencies.size < sentAt.size) throw new Error(`${sentAt.size - latencies.size} did not arrive`);
  return [...latencies.values()];
}
