import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@switchyard/test-kit';
import { costBetween, printCost, snapshot } from './figures.ts';
import { startStand } from './start-stand.ts';

const SECONDS = 60;
/** Each is written to every 20 s: at one in 6 s the provider refuses the pair of number and person, whatever the number's rate. */
const SECONDS_BETWEEN = 20;

interface Statistics {
  accepted: number;
  rejectedByCode: Record<string, number>;
  numbers: { phoneNumberId: string; peakSecond: number }[];
}

/** (a) One number with a campaign waiting in SQL, at the provider's limit for a minute, receipts flowing. */
export async function measureRate(database: 'sqlite' | 'mysql', perSecond: 80 | 1000): Promise<void> {
  const stand = await startStand({
    database,
    connections: 200,
    settings: {
      limits: { throughput: true, pair: true },
      statuses: { enabled: true, sentDelayMs: 100, deliveredDelayMs: 300, readDelayMs: 900 },
    },
  });
  const people = perSecond * SECONDS_BETWEEN;
  try {
    await stand.putNumbers(1, perSecond === 80 ? 'STANDARD' : 'HIGH');
    await stand.ask('/numbers', { count: 1, perSecond });
    await stand.ask('/people', { count: people, numbers: 1 });
    await stand.ask('/backlog', { count: perSecond * (SECONDS + 10), people, numbers: 1 });
    const statistics = () => stand.simulator<Statistics>('GET', 'statistics');
    await until(async () => (await statistics()).accepted > perSecond * 3, { timeoutMs: 60_000 });
    const before = await snapshot(stand);
    await stand.ask('/delays');
    const { accepted } = await statistics();
    const startedAt = performance.now();
    await pause(SECONDS * 1000);
    const end = await statistics();
    const seconds = (performance.now() - startedAt) / 1000;
    const after = await snapshot(stand);
    const late = await stand.ask<{ p50: number; p99: number; max: number }>('/delays');
    const sent = end.accepted - accepted;
    const share = sent / seconds / perSecond;
    const peak = end.numbers.find(({ phoneNumberId }) => phoneNumberId === '300000000000000')?.peakSecond;
    console.log(
      `(a) ${database}, ${perSecond}/s per number: ${(sent / seconds).toFixed(1)}/s over ${SECONDS} s = ${(share * 100).toFixed(1)} % (target ≥ 97 %); peak second ${peak}; refused ${JSON.stringify(end.rejectedByCode)} (target: none)`,
    );
    printCost([costBetween(before, after, sent)]);
    console.log(
      `  the worker's event loop was late by ${late.p50.toFixed(1)} ms (p50), ${late.p99.toFixed(1)} ms (p99), ${late.max.toFixed(0)} ms at most`,
    );
  } finally {
    await stand.close();
  }
}
