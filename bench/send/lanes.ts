import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@switchyard/test-kit';
import { quantile } from './figures.ts';
import { collectLatencies, sendProbe } from './latencies.ts';
import { type Stand, startStand } from './start-stand.ts';

const CAMPAIGN = 100_000;
const PEOPLE = 20_000;
const PROBES = 300;
const PER_SECOND = 80;

/** (c) Transactional messages on an idle number, then behind a campaign of 100,000 on the same number. */
export async function measureLanes(database: 'sqlite' | 'mysql'): Promise<void> {
  const stand = await startStand({
    database,
    connections: 200,
    settings: { limits: { throughput: true, pair: false } },
  });
  try {
    await stand.putNumbers(1, 'STANDARD');
    await stand.ask('/numbers', { count: 1, perSecond: PER_SECOND });
    await stand.ask('/people', { count: PEOPLE, numbers: 1 });
    // To people whom the campaign has not come to, each once: what is measured is the number's pace, not that of a pair.
    await probe(stand, 'warm', 20, PEOPLE - 20);
    const idle = await probe(stand, 'idle', PROBES, PEOPLE / 2);
    for (let from = 0; from < CAMPAIGN; from += 10_000)
      await stand.ask('/backlog', { count: 10_000, people: PEOPLE, numbers: 1, from });
    await until(async () => (await stand.accepted()) > PROBES + 20 + PER_SECOND * 3, { timeoutMs: 60_000 });
    const behind = await probe(stand, 'behind', PROBES, PEOPLE / 2 + PROBES);
    const slotMs = 1000 / PER_SECOND;
    const [idleP99, behindP99] = [quantile(idle, 0.99), quantile(behind, 0.99)];
    console.log(
      `(c) ${database}, a transactional message behind a campaign of ${CAMPAIGN} at ${PER_SECOND}/s: p50 ${quantile(behind, 0.5)} ms, p99 ${behindP99} ms; idle p50 ${quantile(idle, 0.5)} ms, p99 ${idleP99} ms; ${((behindP99 - idleP99) / slotMs).toFixed(1)} slots more (target ≤ 4)`,
    );
  } finally {
    await stand.close();
  }
}

async function probe(stand: Stand, name: string, count: number, firstPerson: number): Promise<number[]> {
  const sentAt = new Map<string, number>();
  const after = await stand.accepted();
  for (let index = 0; index < count; index += 1) {
    await sendProbe(
      stand,
      { messageId: `m_${name}_${index}`, person: firstPerson + index, senderIndex: 0, lane: 'transactional' },
      sentAt,
    );
    await pause(50 + Math.random() * 100);
  }
  const { latencies } = await collectLatencies(stand, sentAt, after, 30_000);
  if (latencies.size < count) throw new Error(`${count - latencies.size} of ${count} did not arrive`);
  return [...latencies.values()];
}
