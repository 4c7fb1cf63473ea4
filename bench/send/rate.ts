import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@switchyard/test-kit';
import { paceOfThroughput } from '../../services/campaign-sender/src/pacing/pace.ts';
import { costBetween, printCost, snapshot } from './figures.ts';
import { type Stand, startStand } from './start-stand.ts';

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
    // It stands for a provider that does not pause: with a small young generation it would, for 20 to 38 ms every three seconds.
    simulatorArgs: ['--max-semi-space-size=64'],
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
    await stand.ask('/backlog', { count: perSecond * (SECONDS + 20), people, numbers: 1 });
    const statistics = () => stand.simulator<Statistics>('GET', 'statistics');
    // Sending has begun while they were laid down, which keeps the database busy.
    const { accepted: early } = await statistics();
    await until(async () => (await statistics()).accepted > early + perSecond * 3, { timeoutMs: 60_000 });
    const before = await snapshot(stand);
    await stand.ask('/delays');
    const slotsBefore = await slotsOf(stand);
    const { accepted } = await statistics();
    const startedAt = performance.now();
    let most = 0;
    for (let last = slotsBefore.lost, second = 1; second <= SECONDS; second += 1) {
      await pause(startedAt + second * 1000 - performance.now());
      const { lost } = await slotsOf(stand);
      most = Math.max(most, lost - last);
      last = lost;
    }
    const end = await statistics();
    const seconds = (performance.now() - startedAt) / 1000;
    const slotsAfter = await slotsOf(stand);
    const after = await snapshot(stand);
    const late = await stand.ask<{ p50: number; p99: number; max: number }>('/delays');
    const sent = end.accepted - accepted;
    const share = sent / seconds / perSecond;
    const peak = end.numbers.find(({ phoneNumberId }) => phoneNumberId === '300000000000000')?.peakSecond;
    console.log(
      `(a) ${database}, ${perSecond}/s per number: ${(sent / seconds).toFixed(1)}/s over ${SECONDS} s = ${(share * 100).toFixed(1)} % (target ≥ 97 %); peak second ${peak}; refused ${JSON.stringify(end.rejectedByCode)} (target: none)`,
    );
    const { intervalMicros } = paceOfThroughput(perSecond);
    const lostMicros = slotsAfter.lost - slotsBefore.lost;
    const granted = (slotsAfter.tat - slotsBefore.tat - lostMicros) / intervalMicros;
    console.log(
      `  slots: the pace leaves ${((100 * 1e6) / intervalMicros / perSecond).toFixed(2)} %; nobody asked for ${(lostMicros / 1000).toFixed(0)} ms of them (${(lostMicros / seconds / 1e4).toFixed(2)} %), ${(most / 1000).toFixed(0)} ms in the worst second; ${granted.toFixed(0)} granted, ${(granted - sent).toFixed(0)} more than were used`,
    );
    printCost([costBetween(before, after, sent)]);
    console.log(
      `  the worker's event loop was late by ${late.p50.toFixed(1)} ms (p50), ${late.p99.toFixed(1)} ms (p99), ${late.max.toFixed(0)} ms at most`,
    );
  } finally {
    await stand.close();
  }
}

/** The number's place in its slots, and time that nobody reserved, in µs. */
async function slotsOf({ control }: Stand): Promise<{ tat: number; lost: number }> {
  const [tat, lost] = await control.hmget('send:number:snd_load_00000', 'tat', 'lost');
  return { tat: Number(tat), lost: Number(lost) };
}
