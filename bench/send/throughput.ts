import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '@switchyard/test-kit';
import { joinSends } from '../../services/flow-engine/src/runs/join-sends.ts';
import { type Cost, costBetween, median, printCost, snapshot } from './figures.ts';
import { type Stand, startStand } from './start-stand.ts';

const WARM = 2000;
const UNTHROTTLED = 1_000_000;

const sources = {
  jobs: 'jobs of one message each',
  joined: 'jobs of twenty messages',
  backlog: 'the backlog in SQL',
} as const;

export interface ThroughputOptions {
  database: 'sqlite' | 'mysql';
  rounds: number;
  messages: number;
  numbers: number;
  connections: number;
  latencyMs: number;
  receipts: boolean;
  /**
   * Where the messages wait: as jobs of one each, in jobs of twenty as flow-engine adds what flows ask for at the same time, or recorded in
   * SQL, as those of a campaign are.
   */
  source: keyof typeof sources;
}

/** (b) Unthrottled: messages that wait already, against a bare loop of POSTs, in turn. */
export async function measureThroughput(options: ThroughputOptions): Promise<void> {
  const { database, rounds, messages, numbers, connections, latencyMs, receipts, source } = options;
  const stand = await startStand({
    database,
    connections,
    settings: receipts
      ? { statuses: { sentDelayMs: 100, deliveredDelayMs: 300, readDelayMs: 600 } }
      : { statuses: { enabled: false } },
  });
  try {
    await stand.putNumbers(numbers, 'HIGH');
    await stand.ask('/numbers', { count: numbers, perSecond: UNTHROTTLED });
    const people = peopleOf(options);
    await stand.ask('/people', { count: people, numbers });
    if (latencyMs > 0) await stand.simulator('POST', 'faults', { kind: 'slow', delayMs: latencyMs });
    const ours: (Cost & { perSecond: number })[] = [];
    const bare: { perSecond: number; cpuUs: number }[] = [];
    await sendRound(stand, options, WARM, 0);
    for (let round = 0; round < rounds; round += 1) {
      bare.push(await runBare(stand, options));
      ours.push(await sendRound(stand, options, messages, WARM + round * messages));
    }
    const title = `(b) ${database}, from ${sources[source]}, ${numbers} numbers, ${latencyMs} ms latency, ${connections} connections, receipts ${receipts ? 'on' : 'off'}`;
    console.log(title);
    const rate = median(ours.map(({ perSecond }) => perSecond));
    if (latencyMs === 0) {
      const ratio = median(ours.map(({ perSecond }, round) => perSecond / bare[round]!.perSecond));
      const bareRate = median(bare.map(({ perSecond }) => perSecond));
      console.log(
        `  ${rate.toFixed(0)} messages/s, bare loop ${bareRate.toFixed(0)}/s (${median(bare.map(({ cpuUs }) => cpuUs)).toFixed(0)} µs CPU each): ${(ratio * 100).toFixed(0)} % (target ≥ 30 %)`,
      );
    } else {
      const ideal = (connections * 1000) / latencyMs;
      const bareRate = median(bare.map(({ perSecond }) => perSecond));
      console.log(
        `  ${rate.toFixed(0)} messages/s of ${ideal.toFixed(0)} = concurrency ÷ latency: ${((rate / ideal) * 100).toFixed(1)} % (target ≥ 95 %); bare loop ${bareRate.toFixed(0)}/s, of which it is ${((rate / bareRate) * 100).toFixed(1)} %`,
      );
    }
    printCost(ours);
  } finally {
    await stand.close();
  }
}

/** Each gets one message: more at once would measure the limit per pair of number and person. */
function peopleOf({ rounds, messages, numbers }: ThroughputOptions): number {
  return Math.max(WARM + rounds * messages, numbers);
}

async function runBare(
  stand: Stand,
  { connections, messages, numbers, latencyMs }: ThroughputOptions,
): Promise<{ perSecond: number; cpuUs: number }> {
  const isSlow = latencyMs > 0;
  const count = isSlow ? Math.min(messages, connections * 40) : messages;
  const warm = isSlow ? connections * 10 : WARM;
  const file = fileURLToPath(new URL('./bare-loop.ts', import.meta.url));
  const parameters = [stand.simulatorUrl, connections, count, numbers, warm].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...parameters]);
  return JSON.parse(stdout) as { perSecond: number; cpuUs: number };
}

/** Lays the messages down. @returns what sets them going. */
async function lay(
  stand: Stand,
  options: ThroughputOptions,
  count: number,
  first: number,
): Promise<() => Promise<unknown>> {
  const { source, numbers } = options;
  if (source === 'backlog') {
    const people = peopleOf(options);
    await stand.ask('/backlog', {
      count,
      people,
      numbers,
      firstPerson: first,
      from: first,
      dueInMs: 600_000,
    });
    return () => stand.ask('/due');
  }
  const queue = stand.producer.queue('messages');
  await queue.pause();
  const jobs = Array.from({ length: count }, (_, index) => first + index).map((index) => ({
    queue: 'messages' as const,
    name: 'send-message' as const,
    payload: {
      messageId: `m_${index}`,
      to: `1555${1_000_000 + index}`,
      content: `message ${index} of a benchmark`,
      senderId: `snd_load_${String(index % numbers).padStart(5, '0')}`,
    },
  }));
  await stand.producer.addMany(source === 'joined' ? joinSends(jobs) : jobs);
  return () => queue.resume();
}

async function sendRound(
  stand: Stand,
  options: ThroughputOptions,
  count: number,
  first: number,
): Promise<Cost & { perSecond: number }> {
  const go = await lay(stand, options, count, first);
  const queue = stand.producer.queue('messages');
  await until(async () => (await queue.getActiveCount()) === 0);
  const acceptedBefore = await stand.accepted();
  const before = await snapshot(stand);
  await go();
  // Neither the beginning counts, in which what waits is noticed and the connections fill (the bare loop is warm, too), nor the ebbing away.
  const [from, to] = [Math.floor(count * 0.05), Math.floor(count * 0.99)];
  let begin: { done: number; atMs: number } | undefined;
  let perSecond = 0;
  await until(
    async () => {
      const done = (await stand.accepted()) - acceptedBefore;
      const atMs = performance.now();
      if (!begin && done >= from) begin = { done, atMs };
      if (begin && perSecond === 0 && done >= to)
        perSecond = ((done - begin.done) * 1000) / (atMs - begin.atMs);
      return done >= count;
    },
    { timeoutMs: 300_000, intervalMs: 50, what: `${count} messages are accepted` },
  );
  await until(async () => (await queue.getActiveCount()) === 0, { timeoutMs: 60_000 });
  const after = await snapshot(stand);
  return { perSecond, ...costBetween(before, after, count) };
}
